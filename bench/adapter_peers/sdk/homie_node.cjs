// node-homie: a device with its description, retained values, a settable property, a log, an alert, its end.
const { HomieDevice, HomieNode, HomieProperty } = require('node-homie')
const { lastValueFrom } = require('rxjs')
const { job, say, sent, awaitEnd } = require('./peer.cjs')

const url = `mqtt://${job.host}:${job.port}`
const device = new HomieDevice({ id: job.name, name: 'heat station' }, { url })
const node = device.add(new HomieNode(device, { id: 'station', name: 'station', type: 'station' }))
const properties = {}
for (const [key, value] of Object.entries(job.first)) {
  const id = key.split('/')[1]
  const datatype = typeof value === 'boolean' ? 'boolean' : key === job.whole ? 'integer' : 'float'
  properties[key] = node.add(new HomieProperty(node, {
    id, name: id, datatype, retained: true, settable: key === job.sp || key === job.mode,
  }))
  properties[key].value = String(value)
}
for (const key of [job.sp, job.mode]) {
  properties[key].onSetMessage$.subscribe(({ property, valueStr }) => {
    say({ order: Number(valueStr === 'true' || (valueStr !== 'false' && valueStr)), told: `${key} set to ${valueStr}` })
    property.value = valueStr
    if (key === job.sp) properties[job.pos].value = valueStr
    say({ sent: sent(key === job.sp ? { [key]: Number(valueStr), [job.pos]: Number(valueStr) } : { [key]: valueStr === 'true' }, null) })
  })
}
device.onInit()
setTimeout(async () => {
  for (const [key, value] of Object.entries(job.second)) properties[key].value = String(value)
  await lastValueFrom(device.publishLog$('info', 'calibrated'))
  await lastValueFrom(device.publishAlert$('sensor', 'no answer'))
  await lastValueFrom(device.clearAlert$('sensor'))
  say({ sent: [...sent(job.first, null), ...sent(job.second, null)] })
}, 1500)
awaitEnd(() => device.onDestroy())
