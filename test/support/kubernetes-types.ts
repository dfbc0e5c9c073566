/** The parts of Kubernetes' objects that the contract test looks at. */
export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

type EnvVar = { readonly name: string } & (
  | { readonly value: string; readonly valueFrom?: never }
  | {
      readonly value?: never;
      readonly valueFrom: {
        readonly fieldRef?: { readonly fieldPath: string };
        readonly secretKeyRef?: { readonly name: string; readonly key: string };
      };
    }
);

export interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly env: readonly EnvVar[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: unknown;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly subPathExpr?: string;
    readonly readOnly?: boolean;
  }[];
}

type Labels = Readonly<Record<string, string>>;

/** matchLabels is the only kind of selector that we use; an empty one takes all. */
export interface Selector {
  readonly matchLabels?: Labels;
}

export interface StatefulSetSpec {
  readonly replicas: number;
  readonly serviceName: string;
  readonly podManagementPolicy: string;
  readonly selector: Selector;
  readonly template: {
    readonly metadata: { readonly labels: Labels };
    readonly spec: {
      readonly automountServiceAccountToken: boolean;
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: unknown;
      readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
      readonly containers: readonly [Container];
      readonly volumes: readonly {
        readonly name: string;
        readonly emptyDir?: unknown;
        readonly secret?: { readonly secretName: string; readonly defaultMode: number };
      }[];
    };
  };
  readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[];
}

export interface ServiceSpec {
  readonly clusterIP?: string;
  readonly publishNotReadyAddresses?: boolean;
  readonly selector: Labels;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
}

interface NetworkPolicyPeer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

interface NetworkPolicyPort {
  readonly port: number;
  readonly protocol: string;
}

export interface NetworkPolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly {
    readonly from?: readonly NetworkPolicyPeer[];
    readonly ports?: readonly NetworkPolicyPort[];
  }[];
  readonly egress?: readonly {
    readonly to?: readonly NetworkPolicyPeer[];
    readonly ports?: readonly NetworkPolicyPort[];
  }[];
}

export interface ServiceMonitorSpec {
  readonly jobLabel: string;
  readonly selector: Selector;
  readonly endpoints: readonly { readonly port: string; readonly path: string }[];
}

export function selects(selector: Selector, labels: Labels | undefined): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
}

/** Another end of a connection: a pod of the policies' own namespace, or of the one that is named. */
export interface OtherEnd {
  readonly labels: Labels;
  readonly namespace?: string;
}

/** May pods with `labels` be reached at (`Ingress`), or reach (`Egress`), that end on that port, as the policies say? */
export function admits(
  policies: readonly NetworkPolicySpec[],
  labels: Labels,
  type: 'Ingress' | 'Egress',
  end: OtherEnd,
  { port, protocol = 'TCP' }: { readonly port: number; readonly protocol?: string },
): boolean {
  const applying = policies.filter(
    ({ podSelector, policyTypes }) => selects(podSelector, labels) && policyTypes.includes(type),
  );
  if (applying.length === 0) return true;
  const rules = applying.flatMap(({ ingress = [], egress = [] }) =>
    type === 'Ingress'
      ? ingress.map(({ from, ports }) => ({ ends: from, ports }))
      : egress.map(({ to, ports }) => ({ ends: to, ports })),
  );
  const isMeant = ({ podSelector = {}, namespaceSelector }: NetworkPolicyPeer): boolean => {
    const isPlace =
      namespaceSelector === undefined
        ? end.namespace === undefined
        : selects(namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace ?? 'own' });
    return isPlace && selects(podSelector, end.labels);
  };
  return rules.some(
    ({ ends, ports }) =>
      (ends === undefined || ends.some(isMeant)) &&
      (ports === undefined || ports.some((allowed) => allowed.port === port && allowed.protocol === protocol)),
  );
}
