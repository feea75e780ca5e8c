//! File system errors as Node.js reports them, because flows look at `error.code`.

use std::io::{Error, ErrorKind};
use std::path::Path;

use flotilla_value::{ErrorValue, Value};

/// The code that Node.js has for an error, and its text.
fn code_of(error: &Error) -> (&'static str, String) {
    let (code, text) = match error.kind() {
        ErrorKind::NotFound => ("ENOENT", "no such file or directory"),
        ErrorKind::PermissionDenied => ("EACCES", "permission denied"),
        ErrorKind::AlreadyExists => ("EEXIST", "file already exists"),
        ErrorKind::NotADirectory => ("ENOTDIR", "not a directory"),
        ErrorKind::IsADirectory => ("EISDIR", "illegal operation on a directory"),
        ErrorKind::DirectoryNotEmpty => ("ENOTEMPTY", "directory not empty"),
        ErrorKind::StorageFull => ("ENOSPC", "no space left on device"),
        ErrorKind::ReadOnlyFilesystem => ("EROFS", "read-only file system"),
        ErrorKind::FileTooLarge => ("EFBIG", "file too large"),
        ErrorKind::ResourceBusy => ("EBUSY", "resource busy or locked"),
        ErrorKind::InvalidInput => ("EINVAL", "invalid argument"),
        _ => ("EIO", ""),
    };
    (code, if text.is_empty() { error.to_string() } else { text.to_owned() })
}

/// `ENOENT: no such file or directory, open 'path'`, with `errno`, `code`, `syscall` and `path`.
pub(super) fn error_value(error: &Error, call: &str, path: &Path) -> ErrorValue {
    let (code, text) = code_of(error);
    let mut value = ErrorValue::new(format!("{code}: {text}, {call} '{}'", path.display()));
    if let Some(number) = error.raw_os_error() {
        value.props.insert("errno", f64::from(-number));
    }
    value.props.insert("code", code);
    value.props.insert("syscall", call);
    value.props.insert("path", Value::from(path.display().to_string()));
    value
}
