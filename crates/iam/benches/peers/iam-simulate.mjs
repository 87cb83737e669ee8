// The usual case (../case.json) decided by iam-simulate, through the one function that it offers. In a scratch folder:
//   npm install @cloud-copilot/iam-simulate
//   node <this file> .
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = path.resolve(process.argv[2] ?? '.', 'node_modules/@cloud-copilot')
const { runSimulation } = await import(pathToFileURL(path.join(modules, 'iam-simulate/dist/esm/index.js')).href)

const { policies, request } = JSON.parse(fs.readFileSync(new URL('../case.json', import.meta.url), 'utf8'))
const named = (policy, at) => ({ name: `p${at}`, policy })
const simulation = {
  request: {
    principal: request.principal,
    action: request.action,
    resource: { resource: request.resource, accountId: request.resourceAccount },
    contextVariables: request.context
  },
  identityPolicies: policies.identity.map(named),
  resourcePolicy: policies.resource,
  serviceControlPolicies: policies.scp.map((level) => ({ ...level, policies: level.policies.map(named) })),
  resourceControlPolicies: []
}

const times = []
for (let round = 0; round < 400; round++) {
  const start = process.hrtime.bigint()
  const { overallResult } = await runSimulation(simulation, {})
  const took = process.hrtime.bigint() - start
  if (overallResult !== 'Allowed') throw new Error(`expected Allowed, not ${overallResult}`)
  if (round >= 100) times.push(Number(took))
}
times.sort((a, b) => a - b)
console.log(`p50 ${times[times.length >> 1] / 1000} us, p99 ${times[Math.floor(times.length * 0.99)] / 1000} us`)
