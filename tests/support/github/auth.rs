//! Who asks, and whether they may: Apps by a signed token, installations and people by a secret one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::answer::Answer;
use super::world::{Found, Token, World};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Nobody,
    Person {
        login: String,
    },
    /// An App itself, by a JSON Web Token.
    App {
        app: u64,
    },
    /// An App as it is installed on an account.
    Installation {
        installation: u64,
        app: u64,
    },
}

/// What a request needs.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// To see the repository.
    See,
    /// One of these permissions to read, for an installation.
    Read(&'static [&'static str]),
    /// One of these permissions to write, for an installation; to write to the repository, for a person.
    Write(&'static [&'static str]),
    /// The same, but a person need only see the repository.
    Say(&'static [&'static str]),
}

#[derive(Debug, Deserialize)]
struct Claims {
    iat: Option<i64>,
    exp: i64,
    iss: serde_json::Value,
}

impl World {
    /// Who asks, by the header `authorization`.
    pub fn caller(&self, header: Option<&str>) -> Result<Caller, Answer> {
        let Some(header) = header else { return Ok(Caller::Nobody) };
        let (scheme, secret) = header.split_once(' ').ok_or_else(Answer::unauthorized)?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" if secret.matches('.').count() == 2 => self.app_caller(secret),
            "bearer" | "token" => self.token_caller(secret),
            "basic" => {
                let decoded = STANDARD.decode(secret).map_err(|_| Answer::unauthorized())?;
                let text = String::from_utf8(decoded).map_err(|_| Answer::unauthorized())?;
                let (_, password) = text.split_once(':').ok_or_else(Answer::unauthorized)?;
                self.token_caller(password)
            }
            _ => Err(Answer::unauthorized()),
        }
    }

    fn token_caller(&self, secret: &str) -> Result<Caller, Answer> {
        match self.tokens.get(secret) {
            Some(Token::Personal { login }) => Ok(Caller::Person { login: login.clone() }),
            Some(Token::Installation { installation, expires_at }) if *expires_at > self.now() => {
                let found = self.installation(*installation).ok_or_else(Answer::unauthorized)?;
                if found.is_suspended {
                    return Err(Answer::forbidden("This installation has been suspended"));
                }
                Ok(Caller::Installation { installation: found.id, app: found.app })
            }
            _ => Err(Answer::unauthorized()),
        }
    }

    fn app_caller(&self, token: &str) -> Result<Caller, Answer> {
        let refused = |why: &str| Answer::error(401, why);
        let undecodable = || refused("A JSON web token could not be decoded");
        let claims = jsonwebtoken::dangerous::insecure_decode::<Claims>(token).map_err(|_| undecodable())?.claims;
        let issuer = claims.iss.as_str().map_or_else(|| claims.iss.to_string(), str::to_owned);
        let is_it = |app: &&super::world::App| app.id.to_string() == issuer || app.client_id == issuer;
        let app = self.apps.iter().find(is_it).ok_or_else(|| Answer::error(404, "Integration not found"))?;
        let mut validation = Validation::new(Algorithm::RS256);
        // The model's clock counts, and it is asked below.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_rsa_der(&app.public_key), &validation)
            .map_err(|_| undecodable())?;
        let now = self.now().as_second();
        match claims.iat {
            Some(issued) if issued <= now => {}
            _ => {
                return Err(refused(
                    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
                ));
            }
        }
        if claims.exp <= now {
            return Err(refused(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ));
        }
        if claims.exp > now + SignedDuration::from_mins(10).as_secs() {
            return Err(refused("'Expiration time' claim ('exp') is too far in the future"));
        }
        Ok(Caller::App { app: app.id })
    }

    /// The login under which the caller acts: for an App its bot's.
    pub fn acts_as(&self, caller: &Caller) -> String {
        match caller {
            Caller::Nobody => "nobody".to_owned(),
            Caller::Person { login } => login.clone(),
            Caller::App { app } => format!("app/{}", self.app(*app).slug),
            Caller::Installation { app, .. } => format!("{}[bot]", self.app(*app).slug),
        }
    }

    /// The repository with this name, if the caller may do there what they are about to do.
    pub fn enter(&self, caller: &Caller, (owner, name): (&str, &str), need: Need) -> Result<u64, Answer> {
        let id = match self.find(owner, name) {
            Found::Here(id) => id,
            // Where to look instead is filled in by who knows the whole request.
            Found::Moved(id) => {
                let place = format!("{}/repositories/{id}", self.base);
                return Err(Answer::error(301, "Moved Permanently").with_header("location", &place));
            }
            Found::Nowhere => return Err(Answer::not_found()),
        };
        self.may(caller, id, need)?;
        Ok(id)
    }

    /// Whether the caller may do this in a repository.
    pub fn may(&self, caller: &Caller, id: u64, need: Need) -> Result<(), Answer> {
        let repository = self.repository(id);
        match caller {
            Caller::App { .. } => return Err(Answer::error(401, "A JSON web token could not be decoded")),
            Caller::Nobody => match need {
                Need::See | Need::Read(_) if !repository.is_private => {}
                Need::See | Need::Read(_) => return Err(Answer::not_found()),
                Need::Write(_) | Need::Say(_) => return Err(Answer::error(401, "Requires authentication")),
            },
            Caller::Person { login } => {
                let role = self.role(id, login);
                if role == "none" {
                    return Err(Answer::not_found());
                }
                // What people may not do they are told as if it were not there.
                if matches!(need, Need::Write(_)) && !matches!(role.as_str(), "admin" | "maintain" | "write") {
                    return Err(Answer::not_found());
                }
            }
            Caller::Installation { installation, .. } => {
                let found = self.installation(*installation).ok_or_else(Answer::unauthorized)?;
                let is_covered = self.covers(found, id);
                if !is_covered && repository.is_private {
                    return Err(Answer::not_found());
                }
                let has = |names: &[&str], levels: &[&str]| {
                    names
                        .iter()
                        .any(|name| found.permissions.get(*name).is_some_and(|level| levels.contains(&level.as_str())))
                };
                let is_allowed = match need {
                    Need::See => true,
                    Need::Read(names) => has(names, &["read", "write", "admin"]) || !repository.is_private,
                    Need::Write(names) | Need::Say(names) => is_covered && has(names, &["write", "admin"]),
                };
                if !is_allowed {
                    return Err(Answer::forbidden("Resource not accessible by integration"));
                }
            }
        }
        if repository.is_archived && matches!(need, Need::Write(_) | Need::Say(_)) {
            return Err(Answer::forbidden("Repository was archived so is read-only."));
        }
        Ok(())
    }
}
