import Foundation

/// Runs a program to its end.
///
/// - Parameter input: Given to it on its standard input.
/// - Returns: Its exit status and what it wrote to standard output and standard error.
@discardableResult
package func run(
    _ program: String, _ arguments: [String], input: String = "", environment: [String: String]? = nil
) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let environment { process.environment = environment }
    let output = Pipe()
    let standardInput = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = standardInput
    try process.run()
    // Beside reading: a program that answers as it reads would wait for us, and we for it.
    let writing = standardInput.fileHandleForWriting
    DispatchQueue.global().async {
        try? writing.write(contentsOf: Data(input.utf8))
        try? writing.close()
    }
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
}
