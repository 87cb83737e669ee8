// The usual case (../case.json) decided by iam-simulate. In a scratch folder:
//   npm install @cloud-copilot/iam-simulate @cloud-copilot/iam-policy
//   node <this file> .
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = path.resolve(process.argv[2] ?? '.', 'node_modules/@cloud-copilot')
const simulate = (file) => import(pathToFileURL(path.join(modules, 'iam-simulate/dist/esm', file)).href)
const { authorize } = await simulate('core_engine/CoreSimulatorEngine.js')
const { AwsRequestImpl } = await simulate('request/request.js')
const { RequestContextImpl } = await simulate('requestContext.js')
const { loadPolicy } = await import(pathToFileURL(path.join(modules, 'iam-policy/dist/esm/index.js')).href)

const { policies, request } = JSON.parse(fs.readFileSync(new URL('../case.json', import.meta.url), 'utf8'))
const load = (policy) => loadPolicy(policy, { name: 'p' })
const full = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] }
const input = {
  request: new AwsRequestImpl(
    request.principal,
    { resource: request.resource, accountId: request.resourceAccount },
    request.action,
    new RequestContextImpl(request.context),
    { wildcardOnlyAction: false }
  ),
  identityPolicies: policies.identity.map(load),
  resourcePolicy: load(policies.resource),
  serviceControlPolicies: policies.scp.map((level) => ({ ...level, policies: level.policies.map(load) })),
  resourceControlPolicies: [{ orgIdentifier: 'r', policies: [load(full)] }],
  simulationParameters: {
    simulationMode: 'Strict',
    strictConditionKeys: new Set(),
    discoveryContextKeyConstraints: {
      constraintFor: () => ({ explicitlyConfigured: false, presenceIsKnown: true, valueIsKnown: true })
    }
  }
}

const times = []
for (let round = 0; round < 2500; round++) {
  const start = process.hrtime.bigint()
  const { result } = authorize(input)
  const took = process.hrtime.bigint() - start
  if (result !== 'Allowed') throw new Error(`expected Allowed, not ${result}`)
  if (round >= 500) times.push(Number(took))
}
times.sort((a, b) => a - b)
console.log(`p50 ${times[times.length >> 1] / 1000} us, p99 ${times[Math.floor(times.length * 0.99)] / 1000} us`)
