/// Why a log could not be opened. The message is for the person who starts the program.
package struct LogOpenError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Another process holds the folder.
        case locked
        /// The file was written by a newer version.
        case newerSchema
        /// Something acknowledged is missing or unreadable; `acceptLoss` opens it all the same.
        case damaged
        case diskFull
        /// The folder or a file cannot be read or written.
        case inaccessible
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
