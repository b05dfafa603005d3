/// What a trace tells about a source.
package struct SourceFacts: Sendable {
    package var name: String
    /// What event ids are made in.
    package var keySpace: String
    /// How requests prove where they come from, such as `signature signinapp`.
    package var verification: String
    /// The names of the secrets that may have verified an event; never their values.
    package var secrets: [String]

    package init(name: String, keySpace: String, verification: String, secrets: [String]) {
        self.name = name
        self.keySpace = keySpace
        self.verification = verification
        self.secrets = secrets
    }
}
