//! How one value is written: the same text in the TOML file, in the environment and in the documentation.
//!
//! Each type of a setting reads and shows itself here. A secret shows nothing.

use entity::values::{GroupRole, WebAddress};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A type whose values are settings.
pub trait Setting: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// What is wrong, without the value itself, which may be a secret.
    fn read(text: &str) -> Result<Self, String>;

    /// Shows the value as it would be written; empty when there is none or it is secret.
    fn show(&self) -> String;
}

macro_rules! by_parsing {
    ($($type:ty: $what:literal;)+) => {$(
        impl Setting for $type {
            fn read(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| $what.to_owned())
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

by_parsing! {
    SocketAddr: "must be an address with a port, such as 127.0.0.1:8080";
    IpNet: "must be a network, such as 10.0.0.0/8";
    u16: "must be a whole number from 0 to 65,535";
    u32: "must be a whole number from 0 to 4,294,967,295";
    u64: "must be a whole number, not negative";
    usize: "must be a whole number, not negative";
    bool: "must be true or false";
}

impl Setting for String {
    fn read(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("must not have control characters".to_owned());
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for WebAddress {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text.trim()).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Setting for GroupRole {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must be a path".to_owned());
        }
        Ok(Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SecretString {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }

    fn show(&self) -> String {
        String::new()
    }
}

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl Setting for Duration {
    fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
        let factor = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor);
        number
            .parse::<u64>()
            .ok()
            .zip(factor)
            .and_then(|(number, factor)| number.checked_mul(factor))
            .map(Self::from_millis)
            .ok_or_else(|| {
                "must be a number with its unit (ms, s, m, h, d), such as 30s".to_owned()
            })
    }

    fn show(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let unit = UNITS
            .iter()
            .rev()
            .find(|(_, factor)| millis.is_multiple_of(*factor));
        match unit {
            Some((name, factor)) if millis > 0 => format!("{}{name}", millis / factor),
            _ => format!("{millis}ms"),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(text: &str) -> Result<Self, String> {
        // An empty variable is one that was not set: compose files cannot say it otherwise.
        if text.is_empty() {
            Ok(None)
        } else {
            T::read(text).map(Some)
        }
    }

    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(T::read)
            .collect()
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }
}

/// Makes an enum of words a setting.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
        }

        impl $crate::config::setting::Setting for $name {
            fn read(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of: {}", [$($word),+].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => $word.to_owned(),)+ }
            }
        }
    };
}
pub(super) use words;

/// Reads a setting from whatever TOML or the environment gives: text, number, yes or no, or a list.
///
/// # Errors
/// Those of [`Setting::read`].
pub fn deserialize<'de, D: Deserializer<'de>, T: Setting>(deserializer: D) -> Result<T, D::Error> {
    struct AsText<T>(PhantomData<T>);

    impl<'de, T: Setting> Visitor<'de> for AsText<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text, a number, true or false, or a list")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            T::read(text).map_err(E::custom)
        }

        fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<T, E> {
            self.visit_str(&value.to_string())
        }

        fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
            self.visit_str(&value.to_string())
        }

        fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
            self.visit_str(&value.to_string())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
            let mut texts = Vec::new();
            while let Some(item) = items.next_element::<String>()? {
                if item.contains(',') {
                    return Err(A::Error::custom("an item of a list has no comma"));
                }
                texts.push(item);
            }
            self.visit_str(&texts.join(","))
        }
    }

    deserializer.deserialize_any(AsText(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_they_are_read() {
        for text in ["500ms", "30s", "15m", "12h", "90d", "0ms"] {
            assert_eq!(Duration::read(text).unwrap().show(), text);
        }
        assert_eq!(Duration::read("60s").unwrap().show(), "1m");
        for text in ["", "30", "s", "-1s", "1 s", "1.5h", "99999999999999999d"] {
            assert!(Duration::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretString::read("hunter2").unwrap();
        assert_eq!(secret.show(), "");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(
            Vec::<IpNet>::read(" 10.0.0.0/8 ,fd00::/8,").unwrap().show(),
            "10.0.0.0/8, fd00::/8"
        );
        assert!(Vec::<IpNet>::read("10.0.0.0/33").is_err());
    }
}
