//! What is shown of a database's URL.

use hos_core::id::Shown;

/// Whether a store's name is a database's URL, and not a file's path.
pub fn is_url(name: &str) -> bool {
    ["postgres://", "postgresql://", "mysql://", "mariadb://", "sqlite://"].iter().any(|scheme| name.starts_with(scheme))
}

/// A URL without its password, and without what stands behind a question mark. Of one that is not written as it must be, which may
/// have pieces of a password in any place, the scheme alone. What would steer a terminal is escaped.
pub fn without_password(url: &str) -> String {
    Shown(&unescaped(url)).to_string()
}

fn unescaped(url: &str) -> String {
    // Before a `://` that stands somewhere further on may be anything, a password too.
    let is_scheme = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        return "a database".to_owned();
    };
    if scheme == "sqlite" {
        return url.split('?').next().unwrap_or(url).to_owned();
    }
    let (shown, _) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = shown.split_once('/').map_or((shown, String::new()), |(a, p)| (a, format!("/{p}")));
    let whole = if let Some((user, host)) = authority.rsplit_once('@') {
        let beyond = rest.get(authority.len()..).unwrap_or("");
        let user = user.split(':').next().unwrap_or("");
        (!beyond.contains('@') && is_server(host)).then(|| format!("{scheme}://{user}@{host}{path}"))
    } else {
        (!rest.contains('@') && is_server(authority)).then(|| format!("{scheme}://{authority}{path}"))
    };
    whole.unwrap_or_else(|| format!("{scheme}://…"))
}

/// Whether a piece can be a host and its port, or several.
fn is_server(text: &str) -> bool {
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit());
    text.split(',').all(|one| match one.rsplit_once(':') {
        Some((host, port)) => is_port(port) && (!host.contains(':') || host.starts_with('[') && host.ends_with(']')),
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://hos:canary@127.0.0.1:5432/pazar", "postgres://hos@127.0.0.1:5432/pazar"),
            ("postgres://hos:can@ary@db/pazar?password=canary", "postgres://hos@db/pazar"),
            ("mysql://db/pazar", "mysql://db/pazar"),
            ("mysql://hos:canary@db", "mysql://hos@db"),
            ("postgres://hos:canary@a:1,[::1]:2/pazar", "postgres://hos@a:1,[::1]:2/pazar"),
            ("postgres://hos:ca/nary@db/pazar", "postgres://…"),
            ("postgres://hos:ca?nary@db/pazar", "postgres://…"),
            ("postgres://hos:can@ary/x@db/pazar", "postgres://…"),
            ("postgres://hos@db/pazar?password=can@ary", "postgres://…"),
            ("postgres://hos:canary", "postgres://…"),
            ("canary://hos", "canary://hos"),
            ("sqlite:///srv/a@b:c.db", "sqlite:///srv/a@b:c.db"),
            ("canary", "a database"),
            ("postgres:/hos:canary@db/pazar?next=http://x", "a database"),
            ("postgres://hos\u{1b}[2J:canary@db\0/pazar", "postgres://hos\\u{1b}[2J@db\\u{0}/pazar"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_path_is_no_url() {
        assert!(is_url("postgres://db/x") && is_url("mysql://db/x") && is_url("sqlite:///srv/shop.db"));
        assert!(!is_url("hos.db") && !is_url("/srv/postgres.db") && !is_url("oracle://x"));
    }
}
