//! Any expression on any document is evaluated or refused: the first line is the expression, the
//! rest is the document. Nodes come in document order, each once, and each has a text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use refund_gateway::xml::XmlLimits;
use refund_gateway::xml::xpath::{Nodes, XPath, XPathValue};

fuzz_target!(|text: &str| {
    let (expression, document) = text.split_once('\n').unwrap_or((text, "<a><b n='1'>2</b></a>"));
    let namespaces = [("p".to_owned(), "urn:p".to_owned())];
    let Ok(path) = XPath::parse(expression, &namespaces) else { return };
    let Ok(nodes) = Nodes::read(document, &XmlLimits::default()) else { return };
    match path.evaluate(&nodes) {
        Ok(XPathValue::Nodes(found)) => {
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{expression}");
            for node in found {
                let _ = (nodes.text(node), nodes.local(node), nodes.place(node));
            }
        }
        Ok(value) => drop(value.string(&nodes)),
        Err(error) => drop(error.to_string()),
    }
});
