//! Which provider staff sign in through, and what it may decide. Put into the program's memory by `app` before it starts.

use entity::values::{GroupRole, WebAddress};
use secrecy::SecretString;
use std::sync::Arc;

/// The company's provider; none where staff sign in with passwords only.
#[derive(Clone, Debug, Default)]
pub struct CompanySignInSettings(pub Option<Arc<ProviderSettings>>);

/// An OpenID Connect provider and how far it is trusted.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// The provider, letter by letter as it calls itself.
    pub issuer: WebAddress,
    /// What the provider calls this program.
    pub client_id: String,
    /// The secret that it has given to this program, if it has.
    pub client_secret: Option<SecretString>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Where it sends browsers back to.
    pub redirect_url: WebAddress,
    /// Where browsers may go on from here.
    pub return_urls: Vec<WebAddress>,
    /// The claim that says whether the e-mail address is verified.
    pub verified_claim: String,
    /// The claim with the groups.
    pub groups_claim: String,
    /// Which roles groups stand for; without any, groups decide nothing.
    pub groups: Vec<GroupRole>,
    /// Make accounts at the first sign-in.
    pub create_staff: bool,
}
