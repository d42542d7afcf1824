//! Which faults of the table have a code, so that one that a tester orders looks like them.
//!
//! What must stay true: a typed client is never given a fault that its WSDL does not declare for
//! the operation.

use super::{Fault, FaultClass, FaultType};
use crate::domain::error_code::ErrorCode;

impl FaultType {
    /// Whether the WSDL declares this fault for the operation.
    fn is_of(self, operation: &str) -> bool {
        match self {
            Self::LoginFault => operation == "login",
            Self::InvalidTypeFault => matches!(operation, "create" | "update" | "delete"),
            Self::InvalidValueFault => operation == "delete",
            Self::MalformedQueryFault => operation == "query",
            Self::InvalidQueryLocatorFault => matches!(operation, "query" | "queryMore"),
            Self::UnexpectedErrorFault => true,
        }
    }
}

impl Fault {
    /// The faults with this code that a call of `operation` can meet. SOAP's own are none of them:
    /// they have a code of the API in their detail alone.
    pub(in crate::soap) fn of_code(
        code: ErrorCode,
        operation: &str,
    ) -> impl Iterator<Item = Self> + '_ {
        let is_api =
            |fault: &Self| matches!(fault.class(), FaultClass::Sender | FaultClass::Receiver);
        let samples = Self::samples().into_iter();
        samples.filter(move |fault| {
            fault.code() == code && is_api(fault) && fault.fault_type().is_of(operation)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::version::ApiVersion;

    #[test]
    fn the_faults_of_a_code_are_those_that_the_operation_can_meet() {
        let of = |code, operation| Fault::of_code(code, operation).collect::<Vec<_>>();
        assert_eq!(of(ErrorCode::RequestExceededLimit, "query"), [Fault::TooManyRequests]);
        assert_eq!(of(ErrorCode::InvalidValue, "login"), [Fault::WrongLogin]);
        assert_eq!(of(ErrorCode::InvalidValue, "create"), []);
        assert_eq!(of(ErrorCode::TransactionFailed, "create"), []);
    }

    #[test]
    fn an_operation_fails_only_with_faults_that_its_wsdl_declares() {
        let wsdl = crate::soap::wsdl::render(ApiVersion::LAST, "http://localhost/");
        let (_, port) = wsdl.split_once("<portType").expect("a port type");
        let (port, _) = port.split_once("</portType>").expect("its end");
        for operation in ["login", "create", "update", "delete", "query", "queryMore"] {
            let start = format!("<operation name=\"{operation}\">");
            let (_, declared) = port.split_once(&start).expect(operation);
            let (declared, _) = declared.split_once("</operation>").expect(operation);
            for kind in Fault::samples().iter().map(Fault::fault_type) {
                let is_declared = declared.contains(&format!("name=\"{}\"", kind.name()));
                assert_eq!(kind.is_of(operation), is_declared, "{operation} {kind:?}");
            }
        }
    }
}
