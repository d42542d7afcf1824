//! The WSDL, rendered for a version and an address.
