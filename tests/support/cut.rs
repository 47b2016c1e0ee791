//! A wire to a server on a socket, which can be cut: what goes over it is lost, and no new connection is
//! taken until it is mended.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A wire between a socket of its own and a server's.
#[derive(Debug)]
pub struct Wire {
    folder: tempfile::TempDir,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    server: PathBuf,
    cut: AtomicBool,
    ended: AtomicBool,
    open: Mutex<Vec<UnixStream>>,
}

impl Wire {
    /// A wire to the socket `name` in the folder `server`. Its own socket has the same name.
    pub fn to(server: &Path, name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("meshwright-wire-").tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(name)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let state = Arc::new(State {
            server: server.join(name),
            cut: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || serving.serve(&listener));
        Self { folder, state }
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Cuts it: what is connected is lost, and nothing new is.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
        self.state.drop_all();
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.state.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.cut();
    }
}

impl State {
    fn serve(self: &Arc<Self>, listener: &UnixListener) {
        while !self.ended.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((client, _)) => self.connect(client),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn connect(self: &Arc<Self>, client: UnixStream) {
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        let Ok(server) = UnixStream::connect(&self.server) else { return };
        client.set_nonblocking(false).unwrap();
        let ends = [(client.try_clone(), server.try_clone()), (server.try_clone(), client.try_clone())];
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend([client, server]);
        drop(open);
        // It may have been cut between the question and the connection.
        if self.cut.load(Ordering::SeqCst) {
            self.drop_all();
        }
        for (from, to) in ends {
            if let (Ok(from), Ok(to)) = (from, to) {
                std::thread::spawn(move || carry(from, to));
            }
        }
    }

    fn drop_all(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // It may have been closed by either side.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Carries bytes until either side closes.
fn carry(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
