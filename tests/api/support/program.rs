//! The real program as a process: for the commands, and for what only a process shows (signals, its own figures).

use super::engine::Place;
use super::{Client, SECRET_KEY};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A server as a process; killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub client: Client,
}

/// The program with an environment of its own, in the given place.
pub fn command(place: &Place) -> Command {
    within(place, Command::new(env!("CARGO_BIN_EXE_regulars")))
}

/// The same with files that cannot grow beyond a size: a disk that is full, without a disk.
pub fn command_with_small_files(place: &Place, kilobytes: u64) -> Command {
    let mut command = Command::new("bash");
    // The signal is not heard, so that a write fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -S -f {kilobytes} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_regulars")]);
    within(place, command)
}

fn within(place: &Place, mut command: Command) -> Command {
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("REGULARS_DATA", &place.data)
        .env("REGULARS_SECRET_KEY", SECRET_KEY)
        // Tests ask for more than any caller should.
        .env("REGULARS_BUDGET", "0")
        // The doctor looks at the address too, and the usual one may be taken on this machine.
        .env("REGULARS_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null());
    if let Some(url) = &place.url {
        command.env("DATABASE_URL", url);
    }
    command
}

/// Runs a command to its end.
pub fn run<S: AsRef<OsStr>>(place: &Place, arguments: impl IntoIterator<Item = S>) -> Output {
    command(place).args(arguments).output().unwrap()
}

/// Runs a command that must succeed; gives its standard output.
#[track_caller]
pub fn succeed<S: AsRef<OsStr>>(place: &Place, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(place, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Runs a command that must fail; gives its standard error.
#[track_caller]
pub fn fail<S: AsRef<OsStr>>(place: &Place, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(place, arguments);
    assert!(
        !output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Program {
    /// Starts `serve` on a free port and waits until it says where it listens.
    pub fn serve(place: &Place) -> Self {
        Self::serve_with(place, |_| {})
    }

    /// As [`Program::serve`], with changes to the command.
    pub fn serve_with(place: &Place, change: impl FnOnce(&mut Command)) -> Self {
        Self::serve_by(command(place), change)
    }

    /// As [`Program::serve_with`], by a command that becomes the program.
    pub fn serve_by(mut command: Command, change: impl FnOnce(&mut Command)) -> Self {
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("REGULARS_LOG", "warn");
        change(&mut command);
        Self::start(command)
    }

    /// Starts `demo` on a free port, with these arguments, and waits until it says where it listens.
    pub fn demo(place: &Place, arguments: &[&str]) -> Self {
        let mut command = command(place);
        command
            .args(["demo", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("REGULARS_LOG", "warn");
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        // Standard error is where the test has put it, or where its own is.
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).unwrap();
            let listens = line
                .trim()
                .strip_prefix("regulars listens on http://")
                .and_then(|rest| rest.strip_suffix("/graphql"));
            if let Some(address) = listens {
                break address.parse().unwrap();
            }
            said.push_str(&line);
            assert!(read > 0, "the server said: {said:?}");
        };
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = lines.read_to_string(&mut rest);
        });
        Self {
            child,
            address,
            client: Client::new(address),
        }
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself; gives whether it ended well.
    pub fn ended(&mut self, within: Duration) -> bool {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(started.elapsed() < within, "the program did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it by SIGKILL, which it cannot hear.
    pub fn kill(mut self) {
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "it had ended by itself"
        );
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it had so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        kilobytes * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
