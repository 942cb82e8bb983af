//! What is shown of a database's URL.

/// Whether a store's name is a database's URL, and not a file's path.
pub fn is_url(name: &str) -> bool {
    ["postgres://", "postgresql://", "mysql://", "mariadb://", "sqlite://"].iter().any(|scheme| name.starts_with(scheme))
}

/// A URL without its password, and without what stands behind a question mark.
pub fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return "a database".to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(a, p)| (a, format!("/{p}")));
    let shown = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or("")),
        None => authority.to_owned(),
    };
    format!("{scheme}://{shown}{path}")
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
            ("sqlite:///srv/a@b:c.db", "sqlite:///srv/a@b:c.db"),
            ("canary", "a database"),
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
