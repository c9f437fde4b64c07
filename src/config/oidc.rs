//! What must hold between the settings of the company's sign-in.

use super::sections::Settings;

/// Where the provider sends browsers back to.
const CALLBACK: &str = "/auth/oidc/callback";

/// What contradicts each other, each with what to do.
pub(super) fn contradictions(settings: &Settings) -> Vec<String> {
    let oidc = &settings.oidc;
    let mut wrong = Vec::new();
    let mut refuse = |is_wrong: bool, message: &str| {
        if is_wrong {
            wrong.push(message.to_owned());
        }
    };
    if oidc.issuer.is_none() {
        let has_more = oidc.client_id.is_some()
            || oidc.client_secret.is_some()
            || oidc.redirect_url.is_some()
            || !oidc.groups.is_empty()
            || oidc.create_staff;
        refuse(
            has_more,
            "oidc.issuer must be set for the other settings of oidc to mean anything",
        );
        refuse(
            !settings.security.password_sign_in,
            "security.password_sign_in must stay true without oidc.issuer: nobody could sign in",
        );
        return wrong;
    }
    refuse(
        oidc.client_id.as_deref().is_none_or(str::is_empty) || oidc.redirect_url.is_none(),
        "oidc.client_id and oidc.redirect_url must be set along with oidc.issuer",
    );
    let is_callback = |url: &entity::values::WebAddress| url.normal().ends_with(CALLBACK);
    refuse(
        oidc.redirect_url
            .as_ref()
            .is_some_and(|url| !is_callback(url)),
        "oidc.redirect_url must end with /auth/oidc/callback",
    );
    refuse(
        oidc.return_urls.is_empty() && settings.server.cors_origins.is_empty(),
        "oidc.return_urls must name where browsers may return to, or server.cors_origins the origins of the pages",
    );
    refuse(
        oidc.create_staff && oidc.groups.is_empty(),
        "oidc.groups must say which roles groups stand for when oidc.create_staff is true: an account is made \
         for no one else",
    );
    refuse(
        oidc.groups_claim.is_empty() || oidc.verified_claim.is_empty(),
        "oidc.groups_claim and oidc.verified_claim must each name a claim",
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::values::{GroupRole, WebAddress};

    fn address(text: &str) -> Option<WebAddress> {
        Some(WebAddress::parse(text).unwrap())
    }

    fn complete() -> Settings {
        let mut settings = Settings::default();
        settings.oidc.issuer = address("https://login.example.com");
        settings.oidc.client_id = Some("regulars".to_owned());
        settings.oidc.redirect_url = address("https://api.example.com/auth/oidc/callback");
        settings.oidc.return_urls = address("https://admin.example.com").into_iter().collect();
        settings
    }

    #[test]
    fn a_provider_is_named_whole_or_not_at_all() {
        type Change = fn(&mut Settings);
        assert_eq!(contradictions(&Settings::default()), [""; 0]);
        assert_eq!(contradictions(&complete()), [""; 0]);
        let cases: [(Change, &str); 8] = [
            (|s| s.oidc.issuer = None, "oidc.issuer must be set"),
            (|s| s.oidc.client_id = None, "oidc.client_id"),
            (|s| s.oidc.redirect_url = None, "oidc.redirect_url"),
            (
                |s| s.oidc.redirect_url = address("https://api.example.com/"),
                "must end with /auth/oidc/callback",
            ),
            (|s| s.oidc.return_urls.clear(), "oidc.return_urls"),
            (|s| s.oidc.create_staff = true, "oidc.groups must say"),
            (|s| s.oidc.groups_claim.clear(), "oidc.groups_claim"),
            (
                |s| {
                    *s = Settings::default();
                    s.security.password_sign_in = false;
                },
                "security.password_sign_in",
            ),
        ];
        for (change, told) in cases {
            let mut settings = complete();
            change(&mut settings);
            let wrong = contradictions(&settings);
            assert!(wrong.iter().any(|text| text.contains(told)), "{wrong:?}");
        }
        let mut settings = complete();
        settings.security.password_sign_in = false;
        settings.oidc.create_staff = true;
        settings.oidc.groups = vec![GroupRole::parse("office=HEADQUARTERS").unwrap()];
        settings.oidc.return_urls.clear();
        settings.server.cors_origins = vec!["https://admin.example.com".to_owned()];
        assert_eq!(contradictions(&settings), [""; 0]);
    }
}
