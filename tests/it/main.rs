//! The integration tests, one binary: each module drives the library as its users do.

mod faults_doc;
mod http;
mod soap;
mod wsdl;
