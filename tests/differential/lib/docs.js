// docs/spring-compatibility.md, from the scripts and expected.txt.

import { fileURLToPath } from 'node:url';

export const FILE = fileURLToPath(new URL('../../../docs/spring-compatibility.md', import.meta.url));

const cell = (text) => text.replaceAll('|', '\\|');

function byGroup(scripts) {
  const groups = new Map();

  for (const script of scripts) {
    const group = script.name.slice(0, script.name.indexOf('/'));
    groups.set(group, [...(groups.get(group) ?? []), script]);
  }
  return groups;
}

function table(scripts, differences, kind) {
  const rows = scripts.filter(({ name }) => differences.get(name)?.kind === kind).map(({ name, rule }) => {
    const { spring, gateway, because } = differences.get(name);
    return `| ${cell(rule)} | ${cell(spring)} | ${cell(gateway)} | ${cell(because)} | \`${name}\` |`;
  });

  return ['| rule | Spring | the gateway | why | script |', '|---|---|---|---|---|', ...rows].join('\n');
}

export function render(scripts, { differences, missing }) {
  const same = scripts.filter(({ name }) => !differences.has(name));
  const parts = [];

  for (const [group, all] of byGroup(scripts)) {
    const here = all.filter(({ name }) => !differences.has(name));
    parts.push(`### ${group}: ${here.length} of ${all.length}\n\n` +
      (here.length === 0 ? 'All of them are listed below.' : here.map(({ rule }) => `- ${rule}`).join('\n')));
  }
  return `# How the gateway compares with Spring

<!-- Made from tests/differential by \`tests/differential/run --docs\`; a run fails when it is stale. -->

The gateway stands in for the WebSocket side of a Spring server: the endpoints, STOMP over them, and the simple
broker. That it does is tested, not claimed: [tests/differential](../tests/differential/README.md) plays the same
bytes to a Spring Boot server and to the gateway and compares what every client sees, byte for byte, close codes and
HTTP answers included. Only session ids, message ids and times may differ.

Each rule below is one script. Of ${scripts.length}, ${same.length} are the same;
${scripts.length - same.length} differ on purpose, and are listed with their reasons.

## What is the same

${parts.join('\n\n')}

## What is better

Where Spring hangs, loses something or lets clients forge, and clients that work with Spring do not notice.

${table(scripts, differences, 'better')}

## What is decided otherwise

Neither better nor worse for a client, but not the same bytes.

${table(scripts, differences, 'decision')}

## What is not there

${missing.map(({ title, text }) => `- **${title}** ${text}`).join('\n')}
`;
}
