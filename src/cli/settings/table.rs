//! The settings of a table of the file that are no options: each is reported with its place.

use super::Sources;
use serde::Serialize;
use serde_json::{Map, Value};

impl Sources<'_> {
    /// Notes the settings of a table, which only a file can set.
    pub(super) fn table<T: Serialize + Clone>(&mut self, name: &str, settings: &T) -> T {
        if let Ok(Value::Object(table)) = serde_json::to_value(settings) {
            self.note_table(name, &table);
        }
        settings.clone()
    }

    fn note_table(&mut self, name: &str, table: &Map<String, Value>) {
        for (key, value) in table {
            let key = format!("{name}.{key}");
            let value = match value {
                Value::Object(inner) => {
                    self.note_table(&key, inner);
                    continue;
                }
                Value::Null => "none".to_owned(),
                value => value.to_string(),
            };
            let origin = self.config.place_of(&key).unwrap_or_else(|| "default".to_owned());
            self.note(&key, value, origin);
        }
    }
}
