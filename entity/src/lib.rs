//! Tables, typed ids, enums and values of regulars.

pub mod values;
