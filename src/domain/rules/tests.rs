//! The rules, one test a rule, and the order in which errors are told.

use super::*;
