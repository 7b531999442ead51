// Eclipse Tahu's Sparkplug client: births with aliases, data by alias, a compressed payload, a command, a death.
const { newClient } = require('sparkplug-client')
const { job, say, sent, awaitEnd } = require('./peer.cjs')

const types = { CP1_RUN: 'Boolean', T_STN: 'Int16', P1_ENERGY: 'Double' }
const alias = Object.fromEntries(Object.keys(job.first).map((key, i) => [key, i + 100]))
const metric = (key, value, t, byAlias) => ({
  ...(byAlias ? {} : { name: key }), alias: alias[key], value, type: types[key] ?? 'Float', timestamp: t,
})
const metrics = (values, t, byAlias) => Object.entries(values).map(([k, v]) => metric(k, v, t, byAlias))

const client = newClient({
  serverUrl: `mqtt://${job.host}:${job.port}`, username: '', password: '', groupId: '620999', edgeNode: 'tahu-edge',
  clientId: 'tahu-edge', publishDeath: true,
})
client.on('birth', () => {
  client.publishNodeBirth({ timestamp: job.t1, metrics: [{ name: 'Node Control/Rebirth', type: 'Boolean', value: false }] })
  client.publishDeviceBirth(job.name, { timestamp: job.t1, metrics: metrics(job.first, job.t1) })
  client.publishDeviceData(job.name, { timestamp: job.t2, metrics: metrics(job.second, job.t2, true) })
  const third = { P1_TS: 84.5, T_STN: -7 }
  client.publishDeviceData(job.name, { timestamp: job.t2 + 1, metrics: metrics(third, job.t2 + 1) }, { compress: true })
  say({ sent: [...sent(job.first, job.t1), ...sent(job.second, job.t2), ...sent(third, job.t2 + 1)] })
})
client.on('dcmd', (device, payload) => {
  const order = payload.metrics.find((m) => Number(m.alias) === alias[job.sp])
  say({ order: order.value, told: `DCMD by alias as ${order.type}` })
  const t = Date.now(), answer = { [job.sp]: order.value, [job.pos]: order.value }
  client.publishDeviceData(job.name, { timestamp: t, metrics: metrics(answer, t) })
  say({ sent: sent(answer, t) })
})
awaitEnd(() => client.stop())
