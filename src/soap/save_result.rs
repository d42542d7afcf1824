//! SaveResult: what create and update return for each row, in the order of the objects.

use super::envelope::{ANSWERS, Dialect};
use crate::ledger::RowResult;

/// The answer in an element of this name: Errors before Id before Success, and of those only what
/// applies.
pub(super) fn encode(response: &'static str, rows: &[RowResult], dialect: &Dialect) -> Vec<u8> {
    let row_bytes = |row: &RowResult| match row {
        Ok(_) => 108,
        Err(_) => 256,
    };
    let mut writer = dialect.open_envelope(256 + rows.iter().map(row_bytes).sum::<usize>());
    writer.open_with(response, &ANSWERS);
    for row in rows {
        writer.open("ns1:result");
        match row {
            Ok(saved) => {
                writer
                    .text_element("ns1:Id", saved.id.as_str())
                    .text_element("ns1:Success", "true");
            }
            Err(error) => {
                let code = error.code.for_version(dialect.api);
                writer.open("ns1:Errors").text_element("ns1:Code", code.name());
                writer.text_element("ns1:Message", &dialect.wording.report(&error.message)).close();
                writer.text_element("ns1:Success", "false");
            }
        }
        writer.close();
    }
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;
    use crate::domain::row_error::RowError;
    use crate::domain::text::Wording;
    use crate::domain::version::ApiVersion;
    use crate::soap::envelope::SoapVersion;
    use crate::soap::wsdl;

    #[test]
    fn no_version_is_told_a_code_that_its_wsdl_lacks() {
        let row = |code| Err(RowError::new(code, RowError::too_long().message));
        let rows: Vec<RowResult> = ErrorCode::ALL.iter().copied().map(row).collect();
        for major in 18..=150 {
            let api = ApiVersion::major(major);
            let wsdl = wsdl::render(api, "http://localhost/");
            let bytes = encode(
                "ns1:x",
                &rows,
                &Dialect { soap: SoapVersion::V11, api, wording: Wording::default() },
            );
            let text = String::from_utf8(bytes).expect("UTF-8");
            for rest in text.split("<ns1:Code>").skip(1) {
                let (code, _) = rest.split_once('<').expect(&text);
                assert!(wsdl.contains(&format!("value=\"{code}\"")), "{code} at {major}.0");
            }
        }
    }
}
