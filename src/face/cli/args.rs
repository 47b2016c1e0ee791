//! What each verb takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::BaseUrl;
use crate::domain::id::{Namespace, Revision, SourceName};

/// `demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright demo\n  meshwright demo --serve")]
pub struct DemoArgs {
    /// Leave the daemon running when the trip is over
    #[arg(long)]
    pub serve: bool,
    /// Keep the temporary folder, and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// `init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright init --namespace com.example --source ../data-products\n\n\
                        The file goes to --config FILE, which is meshwright.yaml unless told otherwise.")]
pub struct InitArgs {
    /// The namespace in every product's fully qualified name
    #[arg(long, default_value = "com.example")]
    pub namespace: Namespace,
    /// The first repository: a path or a URL
    #[arg(long, value_name = "URL", default_value = ".")]
    pub source: String,
    /// Overwrite a file that is there
    #[arg(long)]
    pub force: bool,
}

/// `validate`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  meshwright validate\n  meshwright validate products/ orders/data-product-descriptor.yaml\n  \
                  meshwright validate --policies shipped -o sarif > findings.sarif\n\n\
                  It ends with 1 when a finding is an error, and when a PATH has no descriptor in it."
)]
pub struct ValidateArgs {
    /// Files, or folders in which descriptors are looked for
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Ask policies as well: a folder with Rego files, or `shipped`
    #[arg(long, value_name = "DIR|shipped")]
    pub policies: Option<String>,
    /// The mesh's namespace; the configuration's, when there is one
    #[arg(long)]
    pub namespace: Option<Namespace>,
    /// Globs of the root files, relative to the repository's top
    #[arg(long, value_name = "GLOB")]
    pub descriptors: Vec<String>,
    /// How findings are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = FindingFormat::Text)]
    pub output: FindingFormat,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// As a compiler would
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands, for annotations
    Github,
    /// JUnit, for build servers: a suite for each descriptor
    Junit,
}

/// How a plan or a difference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// The same as YAML
    Yaml,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Table,
    /// A JSON array
    Json,
    /// The same as YAML
    Yaml,
}

/// `plan`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  meshwright plan\n  meshwright plan --source retail -o json\n  meshwright plan --exit-code"
)]
pub struct PlanArgs {
    /// Only this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// This commit, instead of where the branch stands
    #[arg(long, value_name = "COMMIT", requires = "source")]
    pub revision: Option<Revision>,
    /// How the plan is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
    /// End with 2 when changes are planned
    #[arg(long)]
    pub exit_code: bool,
}

/// `policy`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright policy test policies/")]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

/// What to do with policies.
#[derive(Debug, Clone, Subcommand)]
pub enum PolicyVerb {
    /// Run the policies' own tests
    Test(PolicyTestArgs),
}

/// `policy test`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright policy test policies/\n  meshwright policy test")]
pub struct PolicyTestArgs {
    /// Folders with policies; the configuration's, or else the shipped ones, when left out
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How results are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// `reconcile`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright reconcile\n  meshwright reconcile --source retail")]
pub struct ReconcileArgs {
    /// Only this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
}

/// `serve`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright serve --config /etc/meshwright/meshwright.yaml --log-format json")]
pub struct ServeArgs {
    /// Where health is served, and where webhooks come in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// `get`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright get products\n  meshwright get activities --source retail -o json")]
pub struct GetArgs {
    /// What to list
    #[arg(value_enum, value_name = "KIND")]
    pub kind: GetKind,
    /// Only what belongs to this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// Only what belongs to this product: a name or a fully qualified name
    #[arg(long, value_name = "NAME")]
    pub product: Option<String>,
    /// At most so many, the newest, of activities, proposals, reports, deliveries, wakes and events
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// How the list is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ListFormat::Table)]
    pub output: ListFormat,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetKind {
    /// Watched repositories
    #[value(alias = "source")]
    Sources,
    /// Data products
    #[value(alias = "product")]
    Products,
    /// Versions of products
    #[value(alias = "version")]
    Versions,
    /// What runs, by product and stage
    #[value(alias = "container")]
    Containers,
    /// Attempts to move a container to a version
    #[value(alias = "activity")]
    Activities,
    /// Pull requests and merge groups, and what became of looking at them
    #[value(aliases = ["proposal", "pulls", "pull"])]
    Proposals,
    /// What forges should show
    #[value(alias = "report")]
    Reports,
    /// What forges delivered by webhook
    #[value(alias = "delivery")]
    Deliveries,
    /// Targets that wait to be looked at, or are looked at now
    #[value(alias = "wake")]
    Wakes,
    /// Processes that share the record, and what each of them holds
    #[value(aliases = ["replica", "leases", "lease"])]
    Replicas,
    /// Who decided what, and why
    #[value(alias = "event")]
    Events,
    /// Findings that stand
    #[value(alias = "finding")]
    Findings,
}

impl GetKind {
    /// The word, in the plural.
    pub const fn as_str(self) -> &'static str {
        match self {
            GetKind::Sources => "sources",
            GetKind::Products => "products",
            GetKind::Versions => "versions",
            GetKind::Containers => "containers",
            GetKind::Activities => "activities",
            GetKind::Proposals => "proposals",
            GetKind::Reports => "reports",
            GetKind::Deliveries => "deliveries",
            GetKind::Wakes => "wakes",
            GetKind::Replicas => "replicas",
            GetKind::Events => "events",
            GetKind::Findings => "findings",
        }
    }
}

/// `describe`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright describe product tripExecution\n  \
                  meshwright describe version tripExecution@1.2.0\n  meshwright describe activity act-0123456789abcdef")]
pub struct DescribeArgs {
    /// What it is
    #[arg(value_enum, value_name = "KIND")]
    pub kind: DescribeKind,
    /// Its name: a product's name (or `name:major`, or the fully qualified one), `product@version`, an
    /// activity's id or its beginning, a source's name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// What can be described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DescribeKind {
    /// A data product
    #[value(alias = "products")]
    Product,
    /// One version of a product
    #[value(alias = "versions")]
    Version,
    /// An attempt to move a container to a version, with its tasks and their logs
    #[value(alias = "activities")]
    Activity,
    /// A watched repository
    #[value(alias = "sources")]
    Source,
}

/// `diff`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright diff\n  meshwright diff --source retail -o json")]
pub struct DiffArgs {
    /// Only this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// How the difference is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// `explain`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright explain\n  meshwright explain schema/required")]
pub struct ExplainArgs {
    /// The rule's id, as findings show it
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  meshwright doctor\n  meshwright doctor --daemon http://127.0.0.1:8080 -o json\n\n\
                  It ends with 1 when something failed."
)]
pub struct DoctorArgs {
    /// A running daemon, to which a signed ping is sent for each forge with a webhook secret
    #[arg(long, value_name = "URL")]
    pub daemon: Option<String>,
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Text)]
    pub output: DocumentFormat,
}

/// `github`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright github setup --org acme --webhook https://mesh.example.com")]
pub struct GithubArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: GithubVerb,
}

/// What to do with GitHub.
#[derive(Debug, Clone, Subcommand)]
pub enum GithubVerb {
    /// Make a GitHub App, and keep its key and its webhook secret
    Setup(GithubSetupArgs),
}

/// `github setup`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright github setup --org acme --webhook https://mesh.example.com\n  \
                  meshwright github setup --forge acme --url https://github.acme.com --key keys/github.pem\n\n\
                  A page on this machine leads through it. At the end, the lines for the configuration are printed.")]
pub struct GithubSetupArgs {
    /// The forge's name in the configuration
    #[arg(long, value_name = "NAME", default_value = "github")]
    pub forge: String,
    /// The organisation that will own the App; your own account, when left out
    #[arg(long, value_name = "ORG", value_parser = github_login)]
    pub org: Option<String>,
    /// The App's name; `meshwright-` and the organisation, when left out
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Where the daemon is reached from GitHub; without it, the App gets no webhook, and sources are polled
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// The address of GitHub: another one for a GitHub Enterprise server
    #[arg(long, value_name = "URL", default_value = "https://github.com")]
    pub url: BaseUrl,
    /// Where its API is, when it is not where GitHub Enterprise has it
    #[arg(long, value_name = "URL")]
    pub api: Option<BaseUrl>,
    /// Where the private key is kept; relative to the configuration's folder
    #[arg(long, value_name = "FILE", default_value = "github-app.pem")]
    pub key: PathBuf,
    /// Where the webhook secret is kept; relative to the configuration's folder
    #[arg(long, value_name = "FILE", default_value = "github-webhook-secret")]
    pub secret: PathBuf,
    /// Ask for the permission to show GitHub Deployments
    #[arg(long)]
    pub deployments: bool,
    /// Where the page is served: an address of this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub listen: SocketAddr,
}

/// What GitHub takes for a login: it becomes part of an address.
fn github_login(text: &str) -> Result<String, String> {
    let is_login = (1..=39).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-');
    if is_login { Ok(text.to_owned()) } else { Err("a login has letters, digits and '-' only".to_owned()) }
}

/// The page hands out an App's key to whoever leads it through, so it is for this machine only.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}"))?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only an address of this machine, such as 127.0.0.1:4000".to_owned())
    }
}

/// `schema`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright schema dpds > dpds.schema.json\n  meshwright schema findings\n\n\
                        The configuration's is printed by `meshwright config schema`.")]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum, value_name = "KIND")]
    pub kind: SchemaKind,
}

/// What has a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// A descriptor as it is written, references and all
    Dpds,
    /// What `validate -o json` writes
    Findings,
}

/// `config`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright config check")]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigVerb {
    /// Print the JSON Schema of the file, for editors
    #[command(after_help = "Example:\n  meshwright config schema > meshwright.schema.json")]
    Schema,
    /// Say whether the file makes sense
    #[command(after_help = "Example:\n  meshwright config check --config deploy/meshwright.yaml")]
    Check,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  meshwright completions bash > ~/.local/share/bash-completion/completions/meshwright"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `policy-worker`: what the daemon hands to the process that it starts.
#[derive(Debug, Clone, Args)]
pub struct PolicyWorkerArgs {
    /// As the adapter that starts it wants.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub arguments: Vec<std::ffi::OsString>,
}
