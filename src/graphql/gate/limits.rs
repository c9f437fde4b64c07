//! The bounds a document has to keep, each with its default and the reason for it.
//!
//! Read by [`super::Gate`]; filled by whoever builds the application. Never reads configuration itself.

/// Bounds on what one request may ask for. Each bound is inclusive: a value equal to it passes.
///
/// `Default` gives figures that every client generator and the standard introspection queries stay well below.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the document's text (100 KiB).
    pub document_bytes: usize,
    /// Lexical tokens of the document, comments and commas not counted (5,000; the introspection query has about 350).
    pub tokens: usize,
    /// Brackets of any kind open at once (64). Bounds the stack of every later stage.
    pub nesting: usize,
    /// Fields on the way from the root to the deepest leaf, fragments followed (20).
    pub depth: usize,
    /// The same below `__schema` and `__type`, where `ofType` chains are long by nature (32).
    pub introspection_depth: usize,
    /// Fields, spreads and inline fragments after every fragment has been expanded (5,000). This one stops documents
    /// whose fragments double at each step.
    pub selections: u64,
    /// Aliases after expansion (250).
    pub aliases: u64,
    /// Directives after expansion (250).
    pub directives: u64,
    /// Fields directly below the operation's root after expansion (30). Stops guessing many passwords in one request.
    pub root_fields: u64,
    /// Fragment definitions (100).
    pub fragments: usize,
    /// Operations in one document (20).
    pub operations: usize,
    /// Variables that one operation may declare (100).
    pub variables: usize,
    /// Levels of lists and objects in the variables' JSON (16).
    pub variable_depth: usize,
    /// Values of any kind in the variables' JSON (10,000).
    pub variable_values: usize,
    /// Largest `first` or `last` of a connection (100).
    pub page_size: u64,
    /// Rows assumed for a connection that is asked for without `first` or `last` and declares no default (20).
    pub default_page_size: u64,
    /// Cost of one operation, see `docs/adr/0003-the-gate.md` for the formula (10,000).
    pub cost: u64,
    /// Whether `__schema` and `__type` are answered (true). `__typename` always is.
    pub introspection: bool,
    /// Errors reported for one refused document (20).
    pub reported_errors: usize,
    /// Bytes that the cache of accepted documents may hold, roughly (16 MiB).
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 100 * 1024,
            tokens: 5_000,
            nesting: 64,
            depth: 20,
            introspection_depth: 32,
            selections: 5_000,
            aliases: 250,
            directives: 250,
            root_fields: 30,
            fragments: 100,
            operations: 20,
            variables: 100,
            variable_depth: 16,
            variable_values: 10_000,
            page_size: 100,
            default_page_size: 20,
            cost: 10_000,
            introspection: true,
            reported_errors: 20,
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}
