//! A bare copy of one branch of a repository, and the `git` program that works on it.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use flotilla_flows::shown_url;
use tempfile::TempDir;
use tokio::process::Command;

use crate::pipeline::child::{self, Unended};
use crate::pipeline::trouble::Trouble;

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(120);
/// What one call may give, in bytes: a flow document with room to spare.
const MOST: u64 = 64 << 20;
/// Where the fetched branch is in the copy.
const TIP: &str = "refs/flotilla/tip";

/// A bare copy of one branch.
pub(in crate::pipeline) struct Repository {
    folder: TempDir,
    url: String,
}

impl Repository {
    /// An empty copy of a repository.
    ///
    /// # Errors
    /// [`Trouble::Fails`] without the `git` program.
    pub(in crate::pipeline) async fn open(url: &str) -> Result<Repository, Trouble> {
        let folder = TempDir::new().map_err(|error| Trouble::Waits(format!("cannot make a folder: {error}")))?;
        let repository = Repository { folder, url: url.to_owned() };
        repository.git(&["init", "--quiet", "--bare", "."], None).await?;
        Ok(repository)
    }

    /// Fetches a branch; its newest commit, or `None` when there is no such branch.
    pub(in crate::pipeline) async fn fetch(&self, branch: &str) -> Result<Option<String>, Trouble> {
        let head = format!("refs/heads/{branch}");
        let found = self.git(&["ls-remote", "--", &self.url, &head], None).await?;
        if found.trim().is_empty() {
            return Ok(None);
        }
        let spec = format!("+{head}:{TIP}");
        self.git(&["fetch", "--quiet", "--no-tags", "--", &self.url, &spec], None).await?;
        Ok(Some(self.git(&["rev-parse", TIP], None).await?.trim().to_owned()))
    }

    /// Pushes a commit; false when the branch moved meanwhile.
    pub(in crate::pipeline) async fn push(&self, commit: &str, branch: &str) -> Result<bool, Trouble> {
        let spec = format!("{commit}:refs/heads/{branch}");
        match self.git(&["push", "--quiet", "--", &self.url, &spec], None).await {
            Ok(_) => Ok(true),
            Err(Trouble::Fails(why)) if why.contains("fetch first") || why.contains("non-fast-forward") => Ok(false),
            // Two pushes at the same moment.
            Err(Trouble::Fails(why)) if why.contains("cannot lock ref") || why.contains("failed to update ref") => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs `git` in the copy; its output. `input` goes to its standard input.
    pub(in crate::pipeline) async fn git(&self, args: &[&str], input: Option<&[u8]>) -> Result<String, Trouble> {
        self.git_with(args, input, &[]).await
    }

    /// The same with variables of the environment.
    pub(in crate::pipeline) async fn git_with(
        &self,
        args: &[&str],
        input: Option<&[u8]>,
        env: &[(&str, &str)],
    ) -> Result<String, Trouble> {
        let mut command = Command::new("git");
        command.current_dir(self.folder.path()).args(["-c", "core.hooksPath=/dev/null"]).args(args);
        for (name, _) in std::env::vars_os() {
            // Keys and tokens of this process are no concern of hooks and helpers; nor are variables that lead git elsewhere.
            let text = name.to_string_lossy();
            let leads = matches!(&*text, "GIT_DIR" | "GIT_WORK_TREE" | "GIT_INDEX_FILE" | "GIT_OBJECT_DIRECTORY");
            if text.starts_with("FLOTILLA_") || leads {
                command.env_remove(&name);
            }
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_DIR", self.folder.path()).env("LC_ALL", "C");
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", OsStr::new("ssh -o BatchMode=yes"));
        }
        command.envs(env.iter().copied());
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = args.first().copied().unwrap_or_default();
        let output = child::run(command, input, LIMIT, MOST).await.map_err(|error| match error {
            Unended::Failed(error) if error.kind() == std::io::ErrorKind::NotFound => Trouble::Fails(
                "the program git is not on the gateway's path: install it there, git stages need it".to_owned(),
            ),
            Unended::Failed(error) => Trouble::Waits(format!("cannot run git {what}: {error}")),
            Unended::Late => Trouble::Waits(format!("git {what} was not done after {} s", LIMIT.as_secs())),
            Unended::Endless => {
                Trouble::Fails(format!("git {what} of {} gives more than {MOST} bytes", shown_url(&self.url)))
            }
        })?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.told).replace(&self.url, &shown_url(&self.url));
            let told = told.trim().lines().collect::<Vec<_>>().join("; ");
            return Err(Trouble::Fails(format!("git {what} of {}: {told}", shown_url(&self.url))));
        }
        Ok(String::from_utf8_lossy(&output.out).into_owned())
    }
}
