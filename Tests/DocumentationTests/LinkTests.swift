import Foundation
import Testing

@Suite("The links of the pages") struct LinkTests {
    @Test("a link inside the project leads to a file, and its anchor to a heading", arguments: Page.names)
    func links(_ name: String) throws {
        let page = try Page(name)
        let folder = URL(filePath: Project.path(name)).deletingLastPathComponent()
        for (target, line) in page.links where !target.hasPrefix("https://") {
            let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            var linked = page
            if !parts[0].isEmpty {
                let file = folder.appending(path: parts[0]).standardizedFileURL.path
                #expect(FileManager.default.fileExists(atPath: file), "\(name):\(line): \(target)")
                guard file.hasSuffix(".md") else { continue }
                linked = try Page(String(file.dropFirst(Project.folder.count + 1)))
            }
            if parts.count == 2 {
                #expect(linked.anchors.contains(parts[1]), "\(name):\(line): \(target)")
            }
        }
    }

    @Test("the README lists every page")
    func pages() throws {
        let targets = try Page("README.md").links.map(\.target)
        for name in Page.names.dropFirst() {
            #expect(targets.contains(name), "\(name)")
        }
    }

    @Test("the folders the README speaks of are there")
    func folders() throws {
        for row in try Page("README.md").table("Where things are", "folder").rows {
            #expect(FileManager.default.fileExists(atPath: Project.path(row[0].code)), "\(row[0])")
        }
    }
}
