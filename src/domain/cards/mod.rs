//! Services of cards.
