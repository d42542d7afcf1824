//! The SOAP front door.

pub mod wsdl;
