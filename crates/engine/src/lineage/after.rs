//! What became of a version: how it was judged, by whom, where it served, what it answered and what was noticed then.

use super::{Walk, brief, of_version, recorded};
use dossier::lineage::{Kind, Node};
use facts::EvidenceId;
use registry::{ApprovalGiven, Quarantine, Stretch, Version};

impl Walk<'_> {
    pub(super) fn after(&mut self, version: &Version) {
        let (id, about) = (of_version(version), &version.registration);
        if let Some((report, evidence)) = &version.validation {
            let held = report.criteria.iter().filter(|one| one.verdict.passes()).count();
            let verdict = if report.passes() { "validation passed" } else { "validation did not pass" };
            let mut node =
                Node::new(format!("decision:{evidence}"), Kind::Decision, verdict, recorded(evidence))
                    .with("criteria that hold", &format!("{held} of {}", report.criteria.len()))
                    .with("measured on", &format!("{} rows", report.rows));
            if report.claimed_by_run.is_some() {
                node = node.with("figures", "claims of the run");
            }
            self.graph.node(node);
            self.graph.edge(&id, "measured", format!("decision:{evidence}"));
        }
        version.approvals.iter().for_each(|given| self.approval(version, given));
        if let Some((bundle, _, evidence)) = &version.signature {
            let signed = format!("decision:{evidence}");
            let node = Node::new(&signed, Kind::Decision, "signature", recorded(evidence));
            self.graph.node(node.with("bundle", &brief(bundle)));
            let before: Vec<String> = version
                .approvals
                .iter()
                .filter(|given| given.revoked.is_none() && given.evidence.index() < evidence.index())
                .map(|given| format!("decision:{}", given.evidence))
                .collect();
            for approval in &before {
                self.graph.edge(approval, "led to", &signed);
            }
            if before.is_empty() {
                self.graph.edge(&id, "signed", &signed);
            }
        }
        version.quarantines.iter().for_each(|one| self.quarantine(&id, one));
        let served = self.engine.state.registry().model(&about.model).map(|model| model.stretches.clone());
        for stretch in served.unwrap_or_default().iter().filter(|one| one.version == version.version) {
            self.stretch(version, stretch);
        }
    }

    fn quarantine(&mut self, version: &str, one: &Quarantine) {
        let id = format!("decision:{}", one.evidence);
        let name = format!("put in quarantine by {}", one.by);
        let mut node = Node::new(&id, Kind::Decision, name, recorded(&one.evidence))
            .with("on", &one.time.date())
            .with("why", &one.reason);
        if let Some(released) = &one.released {
            node = node.with("let out by", &released.by).with("let out on", &released.time.date());
        }
        self.graph.node(node);
        self.graph.edge(version, "held", id);
    }

    fn approval(&mut self, version: &Version, given: &ApprovalGiven) {
        let id = format!("decision:{}", given.evidence);
        let name = format!("approved by {}", given.approver.id);
        let mut node = Node::new(&id, Kind::Decision, name, recorded(&given.evidence))
            .with("role", &given.role)
            .with("on", &given.time.date())
            .with("signed by them", if given.signed.is_some() { "yes" } else { "no" });
        if let Some(revoked) = &given.revoked {
            node = node.with("taken back", &revoked.time.date());
        }
        self.graph.node(node);
        let shown = format!("decision:{}", given.validation);
        let known = self.graph.nodes.iter().any(|node| node.id == shown);
        self.graph.edge(if known { shown } else { of_version(version) }, "shown to", id);
    }

    fn stretch(&mut self, version: &Version, stretch: &Stretch) {
        let id = format!("deployment:{}", stretch.evidence);
        let until = stretch.until.map_or_else(|| "now".to_owned(), facts::Timestamp::date);
        let node =
            Node::new(&id, Kind::Deployment, stretch.endpoint.to_string(), recorded(&stretch.evidence))
                .with("from", &stretch.since.date())
                .with("until", &until)
                .with("by", if stretch.rolled_back { "rollback" } else { "deployment" });
        let lost = version.losses.iter().filter(|loss| {
            stretch.since <= loss.time && stretch.until.is_none_or(|until| loss.time <= until)
        });
        self.graph.node(lost.fold(node, |node, loss| node.with("without evidence since", &loss.time.date())));
        match &version.signature {
            Some((_, _, signed)) => self.graph.edge(format!("decision:{signed}"), "allowed", &id),
            None => self.graph.edge(of_version(version), "served as", &id),
        }
        self.traffic(version, stretch, &id);
        let during = |time| stretch.since <= time && stretch.until.is_none_or(|until| time < until);
        let alerts = self.engine.state.alerts(&version.registration.model).iter();
        let alerts: Vec<EvidenceId> =
            alerts.filter(|alert| during(alert.time)).map(|alert| alert.evidence.clone()).collect();
        for evidence in alerts {
            self.alert(&evidence);
            self.graph.edge(&id, "noticed", format!("alert:{evidence}"));
        }
    }

    /// What was captured of the requests that it answered.
    fn traffic(&mut self, version: &Version, stretch: &Stretch, deployment: &str) {
        let variant = format!("v{}", version.version);
        let segments = self.engine.state.segments(&stretch.endpoint).iter().filter(|segment| {
            segment.what.variant == variant
                && stretch.since <= segment.what.first
                && stretch.until.is_none_or(|until| segment.what.first < until)
        });
        let segments: Vec<_> = segments.collect();
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return };
        let count: u64 = segments.iter().map(|segment| segment.what.count).sum();
        let looks = self.engine.state.reports(&version.registration.model).iter();
        let looks = looks.filter(|report| report.what.version == version.version).count();
        let id = format!("use:{}", last.evidence);
        let node = Node::new(&id, Kind::Use, format!("{count} requests captured"), recorded(&last.evidence))
            .with("from", &first.what.first.date())
            .with("to", &last.what.last.date())
            .with("looks of the monitor", &looks);
        self.graph.node(node);
        self.graph.edge(deployment, "answered", id);
    }

    /// An alert that fired.
    pub(super) fn alert(&mut self, evidence: &EvidenceId) {
        let state = &self.engine.state;
        let known = state.registry().models().flat_map(|(name, _)| state.alerts(name));
        let found = known.into_iter().find(|alert| alert.evidence == *evidence);
        let name =
            found.map_or_else(|| "alert".to_owned(), |alert| format!("alert: {}", alert.what.rule.metric));
        let mut node = Node::new(format!("alert:{evidence}"), Kind::Use, name, recorded(evidence));
        if let Some(alert) = found {
            node = node.with("on", &alert.time.date());
        }
        self.graph.node(node);
    }
}
