//! URLs that ask for TLS. Neither client speaks it here: who asks for it is refused, and never served in the clear.

use crate::url::without_password;
use hos_core::refusal::Code;
use hos_engine::Failure;

/// What says that TLS is not needed.
const UNASKED: [&str; 8] = ["disable", "disabled", "allow", "prefer", "preferred", "false", "off", "0"];

/// The URL without parameters about TLS, which is refused if one asks for it.
pub(crate) fn unasked(url: &str) -> Result<String, Failure> {
    let Some((base, query)) = url.split_once('?') else { return Ok(url.to_owned()) };
    let mut others = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if !is_about_tls(name) {
            others.push(parameter);
        } else if !UNASKED.contains(&value.to_ascii_lowercase().as_str()) {
            return Err(Failure::new(
                Code::StoreUnavailable,
                format!(
                    "{}: the URL asks for TLS, which this program does not speak: connect on this host, through a tunnel or by a \
                     network of your own, and leave `{}` out of the URL",
                    without_password(url),
                    hos_core::id::Shown(name)
                ),
            ));
        }
    }
    Ok(if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) })
}

/// Libraries name these in many ways: `sslmode`, `ssl-mode`, `require_ssl`, `verify_ca`, `sslrootcert`, `channel_binding`.
/// An escaped name is none that anybody writes in good faith.
fn is_about_tls(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
    ["ssl", "tls", "cert", "verify", "cipher", "danger", "channelbinding", "%"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_tls_is_never_served_in_the_clear() {
        for asked in [
            "sslmode=require",
            "sslmode=verify-full",
            "SSLMODE=require",
            "ssl-mode=REQUIRED",
            "ssl-mode=VERIFY_IDENTITY",
            "require_ssl=true",
            "ssl=true",
            "ssl",
            "tls=1",
            "verify_ca=true",
            "sslrootcert=/etc/ca.pem",
            "root_cert_path=/etc/ca.pem",
            "connect_timeout=5&sslmode=require",
            "%73slmode=require",
            "sslmode=%72equire",
            "sslmode=",
            "channel_binding=require",
        ] {
            for scheme in ["postgres", "mysql"] {
                let failure = crate::connector(&format!("{scheme}://hos:canary@db/pazar?{asked}")).err().unwrap();
                assert_eq!(failure.code, Code::StoreUnavailable);
                assert!(failure.message.contains("asks for TLS") && !failure.message.contains("canary"), "{failure}");
            }
        }
    }

    #[test]
    fn who_does_not_ask_is_served() {
        for (url, left) in [
            ("postgres://db/x", "postgres://db/x"),
            ("postgres://db/x?sslmode=disable", "postgres://db/x"),
            ("mysql://db/x?ssl-mode=PREFERRED&prefer_socket=false", "mysql://db/x?prefer_socket=false"),
            ("postgres://db/x?options=-csearch_path%3Dhos&sslmode=prefer", "postgres://db/x?options=-csearch_path%3Dhos"),
        ] {
            assert_eq!(unasked(url).unwrap(), left);
            assert!(crate::connector(url).is_ok(), "{url}");
        }
    }
}
