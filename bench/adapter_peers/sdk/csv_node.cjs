// csv-stringify and MQTT.js: a table with a byte order mark and quoted cells.
const mqtt = require('mqtt')
const { stringify } = require('csv-stringify/sync')
const { job, say, sent, awaitEnd } = require('./peer.cjs')

const client = mqtt.connect(`mqtt://${job.host}:${job.port}`, { protocolVersion: 5 })
const rows = [{ ts: new Date(job.t1), ...job.first }, { ts: new Date(job.t2), ...job.second }]
const text = stringify(rows, {
  header: true, bom: true, quoted: true, record_delimiter: 'windows',
  cast: { date: (v) => v.toISOString(), boolean: (v) => (v ? '1' : '0') },
})
client.publish(`csv/${job.name}/data`, text, { qos: 1 }, () => {
  say({ sent: [...sent(job.first, job.t1), ...sent(job.second, job.t2)] })
})
awaitEnd(() => client.end())
