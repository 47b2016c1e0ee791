//! The pages of the set-up. They are few and small, so they are written out here.

use super::{EVENTS, Manifest, NewApp, PERMISSIONS};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1f2328}\
h1{font-size:1.5rem}table{border-collapse:collapse;margin:1rem 0;width:100%}td,th{text-align:left;padding:.35rem .75rem .35rem 0;\
border-bottom:1px solid #d1d9e0;vertical-align:top}button{font:inherit;padding:.5rem 1rem;border:0;border-radius:6px;\
background:#1f883d;color:#fff;cursor:pointer}code{font-size:.9em;background:#f0f1f3;padding:.1em .3em;border-radius:4px}\
.refused{border-left:4px solid #cf222e;padding-left:1rem}";

pub(super) fn begin(manifest: &Manifest, action: &str, state: &str) -> String {
    let rows: String = manifest
        .permissions()
        .map(|permission| {
            format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                text(permission.name),
                text(permission.access),
                text(permission.reason)
            )
        })
        .collect();
    let webhook = match &manifest.webhook {
        Some(url) => format!("Deliveries will go to <code>{}</code>.", text(url)),
        None => "It will have no webhook: repositories are polled.".to_owned(),
    };
    let body = format!(
        "<h1>Connect Meshwright to GitHub</h1>\
         <p>This makes a GitHub App named <code>{name}</code>. GitHub will show it to you before anything is made, \
         and you can change its name there. {webhook}</p>\
         <table><thead><tr><th>Permission</th><th>Access</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>\
         <form action=\"{action}?state={state}\" method=\"post\">\
         <input type=\"hidden\" name=\"manifest\" value=\"{manifest}\">\
         <button type=\"submit\">Go on to GitHub</button></form>",
        name = text(&manifest.name),
        action = text(action),
        state = text(state),
        manifest = text(&manifest.to_json().to_string()),
    );
    whole("Connect Meshwright to GitHub", &body)
}

/// What an App needs, for whoever looks at the daemon's own address. It says the same to everybody: nothing of
/// the configuration is in it, and nothing can be done there.
pub(super) fn guide() -> String {
    let rows: String = PERMISSIONS
        .iter()
        .map(|permission| {
            let only = if permission.for_deployments { " (only with <code>--deployments</code>)" } else { "" };
            let reason = text(permission.reason);
            format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{reason}{only}</td></tr>",
                permission.name, permission.access
            )
        })
        .collect();
    let events: Vec<String> = EVENTS.iter().map(|event| format!("<code>{}</code>", event.name)).collect();
    let body = format!(
        "<h1>Connect Meshwright to GitHub</h1>\
         <p>A GitHub App is made on the machine that has the configuration, by somebody who may change it:</p>\
         <pre><code>meshwright github setup --forge NAME --org ORGANISATION --webhook https://THIS-ADDRESS</code></pre>\
         <p>The command prints the address of a page on that machine, which leads through the rest, and keeps the \
         private key and the webhook secret where the configuration says. Nothing is made or asked for here.</p>\
         <p>By hand, an App or a webhook needs this: deliveries go to <code>https://THIS-ADDRESS/webhooks/NAME</code>, \
         as <code>application/json</code>, with a secret; NAME is the forge's name in the configuration.</p>\
         <table><thead><tr><th>Permission</th><th>Access</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>\
         <p>Events: {}.</p>",
        events.join(", ")
    );
    whole("Connect Meshwright to GitHub", &body)
}

pub(super) fn done(app: &NewApp) -> String {
    let body = format!(
        "<h1>The App is made</h1>\
         <p>Its key and its secret were handed to the terminal, which says where they are kept. This page does not \
         show them.</p>\
         <p>One step is left on GitHub: <a href=\"{url}/installations/new\">install the App</a> on the repositories \
         that hold descriptors. Then go back to the terminal.</p>",
        url = text(&app.html_url),
    );
    whole("The App is made", &body)
}

pub(super) fn refused(message: &str) -> String {
    let body = format!("<h1>That did not work</h1><p class=\"refused\">{}</p>", text(message));
    whole("That did not work", &body)
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>{body}</body></html>"
    )
}

/// Makes text of anything, inside elements and inside quoted attributes.
fn text(anything: &str) -> String {
    let mut safe = String::with_capacity(anything.len());
    for c in anything.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        let page = refused("<script>alert('x')</script>");
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    }

    #[test]
    fn the_guide_says_all_that_is_needed_and_offers_nothing_to_press() {
        let page = guide();
        for permission in PERMISSIONS {
            assert!(page.contains(&format!("<code>{}</code>", permission.name)), "{}", permission.name);
        }
        assert!(EVENTS.iter().all(|event| page.contains(&format!("<code>{}</code>", event.name))));
        assert!(page.contains("meshwright github setup --forge"));
        for means in ["<form", "<button", "<input", "<script", "href"] {
            assert!(!page.contains(means), "{means}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let app = NewApp {
            id: 7,
            slug: "meshwright-acme".to_owned(),
            html_url: "https://github.com/apps/meshwright-acme".to_owned(),
            private_key: "-----BEGIN".to_owned(),
            webhook_secret: Some("s3cret".to_owned()),
        };
        let page = done(&app);
        assert!(page.contains("/apps/meshwright-acme/installations/new"));
        assert!(!page.contains("BEGIN") && !page.contains("s3cret"));
        assert!(!format!("{app:?}").contains("s3cret"));
    }
}
