//! What the template says about operations, objects and fields, read from it once.
//!
//! The template keeps one tag a line in a fixed form (its tests see to it), so a scan of the lines
//! is enough; the guards come along, and every version is answered from the one outline.

use std::sync::LazyLock;

use super::template::{LINES, Line, Stand};

/// The type that every object extends.
pub(super) const BASE: &str = "zObject";

/// The outline of the template.
pub(super) static OUTLINE: LazyLock<Outline> = LazyLock::new(|| Outline::read(&LINES));

/// The operations and objects of every version.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The operations of the port type, in order.
    pub(super) operations: Vec<Operation>,
    /// The types of the object schema, in order.
    pub(super) objects: Vec<Object>,
}

/// An operation and the versions that have it.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its name.
    pub(super) name: &'static str,
    /// The versions that have it.
    pub(super) stand: Stand,
}

/// An object type, its own fields, and the versions that have it.
#[derive(Debug)]
pub(super) struct Object {
    /// Its name.
    pub(super) name: &'static str,
    /// The versions that have it.
    pub(super) stand: Stand,
    /// Its own fields, in order; one whose type changed is there once for each type.
    pub(super) fields: Vec<Field>,
}

/// A field of one type and the versions in which it has that type.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// Its type, as written.
    pub(super) of_type: &'static str,
    /// The versions that have it so.
    pub(super) stand: Stand,
}

impl Outline {
    fn read(lines: &'static [Line]) -> Self {
        let mut outline = Self::default();
        let is_object_schema =
            |line: &Line| line.text.contains("targetNamespace=\"http://object.api.zuora.com/\"");
        let schema = lines.iter().skip_while(|line| !is_object_schema(line));
        for line in schema.take_while(|line| line.text != "</schema>") {
            outline.read_in_object_schema(line);
        }
        let ports = lines.iter().skip_while(|line| !line.text.starts_with("<portType "));
        for line in ports.take_while(|line| line.text != "</portType>") {
            if let Some(name) = line.attribute("<operation ", " name=\"") {
                outline.operations.push(Operation { name, stand: line.stand });
            }
        }
        outline
    }

    fn read_in_object_schema(&mut self, line: &'static Line) {
        if let Some(name) = line.attribute("<complexType ", " name=\"") {
            self.objects.push(Object { name, stand: line.stand, fields: Vec::new() });
        }
        let name = line.attribute("<element ", " name=\"");
        let of_type = line.attribute("<element ", " type=\"");
        if let (Some(name), Some(of_type), Some(object)) = (name, of_type, self.objects.last_mut())
        {
            object.fields.push(Field { name, of_type, stand: line.stand });
        }
    }
}
