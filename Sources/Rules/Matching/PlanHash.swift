internal import Cryptography

/// Tells rule sets apart by their writing.
enum PlanHash {
    static func of(_ routes: [Route], _ admissions: [String: TargetAdmission] = [:]) -> String {
        var text: [UInt8] = []
        for route in routes { text += route.canonicalText.utf8 }
        for (target, admission) in admissions.sorted(by: { $0.key < $1.key }) {
            text += "\(target.utf8.count):\(target) takes \(admission.canonicalText)".utf8
        }
        return String(Hex.encode(SHA256.hash(text)).prefix(16))
    }
}
