//! How much is taken in and kept. `app` puts what is configured into the memory of the program before it starts; the
//! defaults are good.

/// The bounds of transfers.
#[derive(Clone, Debug)]
pub struct TransferSettings {
    /// Bytes of one upload at most, once it is unpacked.
    pub upload_bytes: u64,
    /// Bytes of all uploads and results that the database keeps at most.
    pub total_bytes: u64,
    /// Transfers of one person that wait or run at most.
    pub open_by_person: u64,
}

impl Default for TransferSettings {
    fn default() -> Self {
        Self {
            upload_bytes: 512 << 20,
            total_bytes: 4 << 30,
            open_by_person: 20,
        }
    }
}
