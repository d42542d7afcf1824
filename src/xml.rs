//! The checked, bounded XML reader and the writer.
