//! The API of cards.
