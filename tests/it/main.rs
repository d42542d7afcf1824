//! The integration tests, one binary: each module drives the library as its users do.

mod wsdl;
