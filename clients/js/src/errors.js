// SPDX-License-Identifier: Apache-2.0

/** What everything here throws, but for a cancelled signal's own reason. */
export class TroupeError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The cluster said no. `temporary`: it may say yes later. */
export class Refused extends TroupeError {
  constructor(reason, { temporary = false } = {}) {
    super(reason);
    this.reason = reason;
    this.temporary = temporary;
  }
}

/** No server of the list could be reached; nothing was sent. */
export class Unreachable extends TroupeError {}

/** The connection was lost behind the request: it may have been carried out. */
export class OutcomeUnknown extends TroupeError {}

/** Not answered in time. `sent`: it may have been, or will be, carried out. */
export class TimedOut extends TroupeError {
  constructor(message, { sent = false } = {}) {
    super(message);
    this.sent = sent;
  }
}

/** A bound of this client was reached; nothing was sent. */
export class Overflow extends TroupeError {}

/** The application has closed it. */
export class Closed extends TroupeError {}
