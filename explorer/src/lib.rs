//! The files of the explorer, the page in which the API is tried.
//!
//! There are two pages. The built one is GraphiQL with its editor and workers, made by `npm run build` in this
//! directory and embedded by `build.rs`; it needs nobody else's server. The plain one is always here: it loads pinned
//! versions from a public CDN, with their hashes, so that the program can be built without Node. Both share the modules
//! of `page/`. Who serves them, and under which policy, is the business of the main crate's `http`.

include!(concat!(env!("OUT_DIR"), "/built.rs"));

/// A page that was built.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// The page, with the mark [`SETTINGS`] in its head.
    pub page: &'static str,
    /// What it loads from `explorer/`. Each name holds a hash of its content.
    pub files: &'static [File],
}

/// A file that a page loads.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its name, without a directory.
    pub name: &'static str,
    /// What is in it.
    pub body: &'static [u8],
    /// The same, compressed by Brotli.
    pub brotli: Option<&'static [u8]>,
    /// The same, compressed by gzip.
    pub gzip: Option<&'static [u8]>,
}

impl File {
    const fn plain(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            body: text.as_bytes(),
            brotli: None,
            gzip: None,
        }
    }

    /// The media type by its name; `None` for a kind that no page of ours loads.
    pub fn media(&self) -> Option<&'static str> {
        match self.name.rsplit_once('.')?.1 {
            "js" => Some("text/javascript; charset=utf-8"),
            "css" => Some("text/css; charset=utf-8"),
            "ttf" => Some("font/ttf"),
            "woff2" => Some("font/woff2"),
            "svg" => Some("image/svg+xml"),
            _ => None,
        }
    }
}

/// Where what the server has to say is put into either page.
pub const SETTINGS: &str = "<!--settings-->";

/// Where the hashes of what the plain page loads are put, see [`pins`].
pub const PINS_HERE: &str = "<!--pins-->";

/// The plain page, with the marks [`SETTINGS`] and [`PINS_HERE`].
pub const PLAIN_PAGE: &str = include_str!("../plain/index.html");

/// What the plain page loads from us.
pub const PLAIN_FILES: &[File] = &[
    File::plain("plain.js", include_str!("../plain/plain.js")),
    File::plain("header.js", include_str!("../page/header.js")),
    File::plain("header.css", include_str!("../page/header.css")),
    File::plain("session.js", include_str!("../page/session.js")),
    File::plain("stream.js", include_str!("../page/stream.js")),
    File::plain("examples.js", include_str!("../page/examples.js")),
];

/// The public CDN that serves npm packages file by file: where the plain page loads the rest from.
pub const CDN: &str = "https://cdn.jsdelivr.net/npm/";

/// What the plain page loads from there: a line for each file with its path and the hash of its content, in the order
/// in which they are loaded. Written by `scripts/pins.js` from the packages themselves.
const PINS: &str = include_str!("../plain/pins.txt");

/// A file of the CDN that the plain page loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Package, version and path, below [`CDN`].
    pub path: &'static str,
    /// The hash that a browser checks it by.
    pub integrity: &'static str,
}

/// What the plain page loads from [`CDN`].
pub fn pins() -> impl Iterator<Item = Pin> {
    PINS.lines().filter_map(|line| {
        let (path, integrity) = line.split_once(' ')?;
        Some(Pin { path, integrity })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_name_exact_versions_and_hashes() {
        assert_eq!(pins().count(), PINS.lines().count());
        assert_eq!(pins().count(), 4);
        for Pin { path, integrity } in pins() {
            let (_, version) = path.split_once('@').unwrap();
            let (version, _) = version.split_once('/').unwrap();
            assert_eq!(version.split('.').count(), 3, "{path}");
            assert!(
                version.chars().all(|c| c.is_ascii_digit() || c == '.'),
                "{path}"
            );
            assert!(
                integrity.starts_with("sha384-") && integrity.len() == 71,
                "{path}"
            );
        }
    }

    #[test]
    fn each_file_has_a_media_type_and_each_page_its_marks() {
        let built = BUILT.map_or(&[][..], |built| built.files);
        for file in PLAIN_FILES.iter().chain(built) {
            assert!(file.media().is_some(), "{}", file.name);
            assert!(!file.body.is_empty(), "{}", file.name);
        }
        for (page, mark) in [(PLAIN_PAGE, SETTINGS), (PLAIN_PAGE, PINS_HERE)] {
            assert_eq!(page.matches(mark).count(), 1, "{mark}");
        }
        if let Some(built) = BUILT {
            assert_eq!(built.page.matches(SETTINGS).count(), 1);
            assert!(built.files.len() > 5);
        }
    }

    #[test]
    fn pages_hold_no_scripts_or_styles_of_their_own() {
        // The policy of neither page allows any.
        for page in [Some(PLAIN_PAGE), BUILT.map(|built| built.page)]
            .into_iter()
            .flatten()
        {
            assert!(!page.contains("<style"));
            assert!(!page.contains(" on"), "a handler in an attribute");
            for script in page.split("<script").skip(1) {
                let (head, rest) = script.split_once('>').unwrap();
                assert!(head.contains("src="), "{head}");
                assert!(rest.starts_with("</script>"), "{head}");
            }
        }
    }
}
