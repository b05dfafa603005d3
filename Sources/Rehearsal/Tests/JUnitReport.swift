internal import Rules
internal import YAML

/// Results of tests as JUnit XML, which build servers read: a suite for each file, a case for each test.
package enum JUnitReport {
    package static func text(_ results: [RouteTestResult]) -> String {
        var files: [String] = []
        var byFile: [String: [RouteTestResult]] = [:]
        for result in results {
            let file = result.test.location.file
            if byFile[file] == nil { files.append(file) }
            byFile[file, default: []].append(result)
        }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gatehouse\"\(counts(results))>\n"
        for file in files {
            let suite = byFile[file] ?? []
            text += "  <testsuite name=\"\(escaped(file))\"\(counts(suite))>\n"
            for result in suite { text += testcase(result) }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func counts(_ results: [RouteTestResult]) -> String {
        let errors = results.count(where: \.isBroken)
        let failures = results.count { !$0.holds } - errors
        return " tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
    }

    private static func testcase(_ result: RouteTestResult) -> String {
        let test = result.test
        let attributes =
            "name=\"\(escaped(test.name))\" classname=\"\(escaped(test.team ?? test.location.file))\" "
            + "file=\"\(escaped(test.location.file))\" line=\"\(test.location.line)\""
        guard !result.holds else { return "    <testcase \(attributes)/>\n" }
        let element = result.isBroken ? "error" : "failure"
        let lines = result.explanation
        return """
                <testcase \(attributes)>
                  <\(element) message="\(escaped(lines.first ?? ""))">\(escaped(lines.joined(separator: "\n"), keeping: ["\n"]))</\(element)>
                </testcase>

            """
    }

    /// Text for an attribute or an element. Characters XML 1.0 has no form for (section 2.2) are shown as codes.
    static func escaped(_ text: String, keeping kept: Set<Unicode.Scalar> = []) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case _ where kept.contains(scalar): result.unicodeScalars.append(scalar)
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&apos;"
            case "\t", "\n", "\r": result += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}":
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
