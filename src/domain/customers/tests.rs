//! Tests of the topic, on both engines.
