internal import Glibc
internal import Targets

/// What is asked of the machine.
enum Machine {
    /// The host's name, as it stands in syslog headers.
    static var name: String { MachineName.value }

    /// The name of whoever runs the program.
    static var user: String {
        guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name else {
            return "\(getuid())"
        }
        return unsafe String(cString: name)
    }
}
