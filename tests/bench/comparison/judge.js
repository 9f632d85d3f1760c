// From the results of single runs to what holds. Pure.

/** The middle one, or the mean of the two in the middle; undefined of nothing. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;

  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2 || undefined;
}

/** How far the values are apart, as a part of their median. */
export function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * A server's runs as one: the median and spread of every number that all have. One failed run
 * spoils them all: `failure` says why.
 */
export function summarize(runs) {
  const failed = runs.find((run) => run.ok !== true);

  if (failed !== undefined || runs.length === 0) {
    return { failure: failed?.failure ?? 'no run' };
  }
  const names = Object.keys(runs[0]).filter((name) => runs.every((run) => Number.isFinite(run[name])));
  const numbers = (name) => runs.map((run) => run[name]);

  return {
    runs: runs.length,
    median: Object.fromEntries(names.map((name) => [name, median(numbers(name))])),
    spread: Object.fromEntries(names.map((name) => [name, spread(numbers(name))])),
  };
}

/**
 * One claim: `ratio` is the subject's number by the peer's, or the number itself without a peer;
 * undefined when there is none, which does not hold.
 */
export function judge(claim, summaries, subject) {
  const own = summaries[subject]?.median?.[claim.measure];
  const other = claim.peer === undefined ? 1 : summaries[claim.peer]?.median?.[claim.measure];
  const ratio = own / other;

  if (!Number.isFinite(ratio)) {
    return { ...claim, ratio: undefined, holds: false };
  }
  return { ...claim, ratio, holds: ratio >= (claim.atLeast ?? -Infinity) && ratio <= (claim.atMost ?? Infinity) };
}

/**
 * A row with its runs by server. It holds when the subject's runs and all claims do; one that
 * cannot be run does not.
 */
export function conclude(row, runs) {
  if (row.absent !== undefined || row.elsewhere !== undefined) {
    return { row, summaries: {}, claims: [], holds: row.absent === undefined };
  }
  const summaries = Object.fromEntries(row.servers.map((name) => [name, summarize(runs[name] ?? [])]));
  const claims = row.claims.map((claim) => judge(claim, summaries, row.servers[0]));
  // Where nothing is claimed, it is about the runs themselves.
  const mustRun = claims.length === 0 ? row.servers : row.servers.slice(0, 1);

  return {
    row,
    summaries,
    claims,
    holds: mustRun.every((name) => summaries[name].failure === undefined) && claims.every((claim) => claim.holds),
  };
}

/** The row with nobody but the subject and this peer, and what is claimed of both. */
export function narrow(row, peer) {
  return row.servers === undefined ? row : {
    ...row,
    servers: row.servers.filter((name) => name === row.servers[0] || name === peer),
    claims: row.claims.filter((claim) => claim.peer === peer),
  };
}
