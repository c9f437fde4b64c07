//! The program: reads the command line and hands over to [`regulars::cli`].
fn main() {}
