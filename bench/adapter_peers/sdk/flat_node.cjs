// MQTT.js over MQTT 5: flat JSON with a last will, a set-point that is answered, and a death without goodbye.
const mqtt = require('mqtt')
const { job, say, sent } = require('./peer.cjs')

const topic = (verb) => `heat/${job.name}/${verb}`
const client = mqtt.connect(`mqtt://${job.host}:${job.port}`, {
  protocolVersion: 5, will: { topic: topic('state'), payload: '{"online": false}', qos: 1 },
})
const send = (values, t) => client.publishAsync(topic('data'), JSON.stringify({ ts: t, ...values }), { qos: 1 })
client.on('connect', async () => {
  await client.subscribeAsync(topic('set'), { qos: 1 })
  await client.publishAsync(topic('state'), '{"online": true, "firmware": "0.9"}', { qos: 1 })
  await send(job.first, job.t1)
  await send(job.second, job.t2)
  say({ sent: [...sent(job.first, job.t1), ...sent(job.second, job.t2)], firmware: '0.9' })
})
client.on('message', async (_, body) => {
  const order = JSON.parse(body)
  say({ order: order[job.sp] })
  await client.publishAsync(topic('ack'), JSON.stringify({ id: order.id, ok: true }), { qos: 1 })
  const t = Date.now(), answer = { [job.sp]: order[job.sp], [job.pos]: order[job.sp] }
  await send(answer, t)
  say({ sent: sent(answer, t) })
})
process.stdin.once('data', () => { client.stream.destroy(); process.exit(0) })
