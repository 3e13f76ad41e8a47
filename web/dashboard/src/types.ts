// SPDX-License-Identifier: Apache-2.0
// What the admin listener answers (docs/admin.md), as far as it is shown.

export interface Node {
  id: number;
  name: string;
  address: string;
  state: "joining" | "member" | "draining" | "absent" | "removed";
  incarnation: number;
  linked: boolean;
  round_trip_us: number;
  groups: number;
  leads: number;
}

export interface Nodes {
  cluster: string;
  self: number;
  nodes: Node[];
}

export interface Follower {
  node: number;
  state: string;
  match: number;
  lag: number;
  active: boolean;
}

export interface Group {
  group: number;
  kind: "directory" | "shard";
  leader: number | null;
  term: number;
  voters: number[];
  learners: number[];
  commit: number;
  applied: number;
  ready: boolean;
  pending: number;
  followers?: Follower[];
  placement?: number[];
  wanted?: number[];
}

export interface Lane {
  queued_bytes: number;
  in_flight_bytes: number;
  credit_bytes: number;
}

export interface Link {
  peer: number;
  state: string;
  address: string;
  encrypted: boolean;
  times_up: number;
  round_trip_us: number;
  silence_ms?: number | null;
  bytes_in: number;
  bytes_out: number;
  control?: Lane;
  bulk?: Lane;
  dropped: Record<string, number>;
  last_error: string;
}

export interface Actor {
  path: string;
  kind: string | null;
  loop?: number;
  mailbox: number;
  handled?: number;
  dropped?: number;
  age_ms?: number;
  last_error?: string;
  state?: unknown;
}

export interface Session {
  id: number;
  protocol: string;
  address: string;
  tls: boolean;
  loop: number;
  age_ms: number;
  worker?: number;
  bytes_in?: number;
  bytes_out?: number;
  output_waiting?: number;
  uid?: string;
  device?: number;
}

export interface Channel {
  realm: string;
  topic: string;
  path: string;
  listeners: number;
  users: number;
  private: boolean;
  published: number;
  received: number;
  delivered: number;
  dropped: number;
  rate: number;
  last_published_ms: number | null;
  nodes?: { node: number; listeners: number }[];
}

export interface Channels {
  channels: Channel[];
  next?: string | null;
  live?: number;
  live_max?: number;
  unshown?: number;
  silent?: number[];
  complete?: boolean;
}

export interface ChannelState {
  joined: number;
  left: number;
  last_published_ms: number | null;
  listeners_unnamed: number;
  presence: { uid: string; connections: number }[];
  history: { messages: number; bytes: number } | null;
}

export interface Filter {
  realm: string;
  filter: string;
  subscriptions: number;
  nodes: number[];
}

export interface Interest {
  subscriptions: number;
  own_filters: number;
  filters: Filter[];
  next: string | null;
}

export interface Publication {
  topic: string;
  node: number;
  sender: string;
  content_type: string;
  headers?: Record<string, string>;
  data?: string;
  data_base64?: string;
}

export interface Ready {
  ready: boolean;
  reasons: string[];
}
