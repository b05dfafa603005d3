/// The presets that are part of the program: the texts of the files in `Files`, by name.
package enum ShippedPresets {
    package static let files: [(name: String, text: [UInt8])] = [
        ("datadog", PackageResources.datadog_yaml),
        ("dynamics", PackageResources.dynamics_yaml),
        ("elasticsearch", PackageResources.elasticsearch_yaml),
        ("hubspot", PackageResources.hubspot_yaml),
        ("salesforce", PackageResources.salesforce_yaml),
        ("sentinel", PackageResources.sentinel_yaml),
        ("slack", PackageResources.slack_yaml),
        ("splunk-hec", PackageResources.splunk_hec_yaml),
    ]
}
