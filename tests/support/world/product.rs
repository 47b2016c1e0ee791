//! Descriptors as stories need them: small, and right.

use std::collections::BTreeMap;

/// A descriptor that is put together step by step.
#[derive(Debug, Clone)]
pub struct Descriptor {
    name: String,
    version: String,
    upstream: Vec<String>,
    description: String,
    stages: Vec<String>,
    configurations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A product with the stages `dev` and `prod` and one task for each phase.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            upstream: Vec::new(),
            description: "a product".to_owned(),
            stages: vec!["dev".to_owned(), "prod".to_owned()],
            configurations: BTreeMap::new(),
        }
    }

    /// It reads from another product.
    pub fn reads(mut self, other: &str) -> Self {
        self.upstream.push(other.to_owned());
        self
    }

    /// Its description: content that differs under the same number.
    pub fn described(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }

    /// It runs at this stage only.
    pub fn only_at(mut self, stage: &str) -> Self {
        self.stages = vec![stage.to_owned()];
        self
    }

    /// The configurations of a task, as YAML in one line.
    pub fn configured(mut self, task: &str, configurations: &str) -> Self {
        self.configurations.insert(task.to_owned(), configurations.to_owned());
        self
    }

    /// Its file, as YAML.
    pub fn yaml(&self) -> String {
        let Self { name, version, description, .. } = self;
        let mut text = format!(
            "dataProductDescriptor: 1.0.0\ninfo:\n  name: {name}\n  version: {version}\n  description: {description}\n  \
             domain: shop\n  owner: {{ id: {name}@example.com }}\ninterfaceComponents:\n  inputPorts:\n"
        );
        for other in &self.upstream {
            let port = format!("urn:dpds:com.example:dataproducts:{other}:1:outputports:out");
            text += &format!("    - {{ name: {other}, version: 1.0.0, x-upstream: '{port}' }}\n");
        }
        if self.upstream.is_empty() {
            text = text.replace("  inputPorts:\n", "");
        }
        text += "  outputPorts:\n    - { name: out, version: 1.0.0 }\ninternalComponents:\n  lifecycleInfo:\n";
        for stage in &self.stages {
            text += &format!("    {stage}:\n");
            for (order, task) in ["provision", "build", "deploy"].iter().enumerate() {
                let order = order + 1;
                text +=
                    &format!("      - name: {task}\n        order: {order}\n        service: {{ $href: {task} }}\n");
                if let Some(configurations) = self.configurations.get(*task) {
                    text += &format!("        configurations: {configurations}\n");
                }
            }
        }
        text
    }

    /// Where its file stands.
    pub fn path(&self) -> String {
        path_of(&self.name)
    }
}

/// Where the descriptor of a product stands.
pub fn path_of(product: &str) -> String {
    format!("{product}/data-product-descriptor.yaml")
}
