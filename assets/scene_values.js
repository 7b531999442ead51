/* Scene, part 6: numbers. What the twin's answer means for the pipes, and what the markers and cards say. */
(function () {
  "use strict";
  const CT = (window.CT = window.CT || {});
  const kit = (CT.sceneKit = CT.sceneKit || {});
  const STALE_S = 300;
  const MOVING_KG_S = 0.8;

  // mode -> what is drawn; SI in, display unit out (twin/model/quantities.py)
  const MODES = {
    temperature: { unit: "°C", scale: 1, decimals: 0, cardDecimals: 1, least: 4 },
    pressure: { unit: "MPa", scale: 1e-6, decimals: 2, cardDecimals: 3, least: 0.05 },
    flow: { unit: "t/h", scale: 3.6, decimals: 0, cardDecimals: 1, least: 20 },
  };
  kit.MODES = MODES;

  /** Values per pipe in display units, or null where the answer does not fit this county. `out` is written over. */
  kit.readPipeValues = function (mode, network, counts, tables, out) {
    if (!network) return null;
    const { scale } = MODES[mode];
    if (mode === "temperature") {
      return network.tPipe && network.tPipe.length === counts.pipes ? network.tPipe : null;
    }
    if (mode === "flow") {
      const { massFlow } = network;
      if (!massFlow || massFlow.length !== counts.pipes) return null;
      for (let i = 0; i < out.length; i++) out[i] = Math.abs(massFlow[i]) * scale;
      return out;
    }
    if (!network.pSupply || network.pSupply.length !== counts.nodes || !tables) return null;
    const { side, from, to } = tables.pipes;
    for (let i = 0; i < out.length; i++) {
      const p = side[i] === "supply" ? network.pSupply : network.pReturn;
      out[i] = ((p[from[i]] + p[to[i]]) / 2) * scale;
    }
    return out;
  };

  /**
   * Domain per side for these values. Water that hardly moves has gone cold: it takes the ramp's end colour and must
   * not stretch the range of the rest. `rows` {supply, return}: rows of the table; `room`: as many numbers to sort in.
   */
  kit.chooseDomains = function (mode, values, rows, room, old, massFlow) {
    const flows = mode === "temperature" ? massFlow : null;
    const { least } = MODES[mode];
    const domains = {};
    for (const [side, mine] of Object.entries(rows)) {
      let n = 0;
      if (values) {
        for (let k = 0; k < mine.length; k++) {
          const i = mine[k];
          const still = flows && !(flows[i] >= MOVING_KG_S || flows[i] <= -MOVING_KG_S);
          if (!still && values[i] - values[i] === 0) room[n++] = values[i];
        }
      }
      domains[side] = kit.spanDomain(room.subarray(0, n).sort(), least, old && old[side]);
      // a flow has no negative amount; the ramp starts at nothing
      if (mode === "flow" && domains[side]) domains[side][0] = 0;
    }
    return domains;
  };

  /** A rehearsed network as a moment of the time line: supply and return temperatures where a place stands. */
  kit.rehearsedMoment = (network) => ({
    t: network.t,
    kind: "rehearsal",
    valueOf(place, key) {
      const side = key.endsWith("ts") ? "tSupply" : key.endsWith("tr") ? "tReturn" : "";
      const value = side && place.node >= 0 ? network[side][place.node] : NaN;
      return Number.isFinite(value) ? { value, age: NaN, stale: false } : null;
    },
  });

  /** Value of a place's point: {value, age, stale} or null; live, or of the time line's shown moment. */
  kit.readLive = function (place, key, time) {
    if (time && time.t !== null) return time.valueOf(place, key);
    const no = place.points[key];
    if (no === undefined || !CT.live || !CT.live.get) return null;
    const reading = CT.live.get(no);
    if (!reading || !Number.isFinite(reading.value)) return null;
    const age = Number.isFinite(reading.t) ? Date.now() / 1000 - reading.t : NaN;
    return { value: reading.value, age, stale: !(age < STALE_S) };
  };

  kit.supplyKey = (place) => (place.kind === "source" ? "src_ts" : "p1_ts");
  kit.returnKey = (place) => (place.kind === "source" ? "src_tr" : "p1_tr");

  kit.placeName = (place, lang) => (lang === "en" ? place.name_en || place.name : place.name);

  /** Card rows of a marker: [label, value with unit, age]. */
  kit.describePlace = function (place, texts, time) {
    const rows = [];
    for (const [key, label] of [
      [kit.supplyKey(place), texts.supply_temperature],
      [kit.returnKey(place), texts.return_temperature],
    ]) {
      const live = kit.readLive(place, key, time);
      const other = time && time.t !== null && texts[`time_${time.kind}`];
      const after = live ? other || `${texts.measured} · ${kit.formatAge(live.age, texts)}` : "";
      rows.push([label, live ? `${kit.formatNumber(live.value, 1)} °C` : "--", after]);
    }
    if (place.area_m2) rows.push([texts.area, `${kit.formatNumber(place.area_m2 / 1e4, 2)} × 10⁴ m²`]);
    return { title: `${texts[place.kind]} · ${place.label}`, rows };
  };

  kit.describePipe = function (row, table, mode, values, age, texts) {
    const shown = MODES[mode];
    const value = values ? values[row] : NaN;
    return {
      title: `${table.side[row] === "supply" ? texts.pipe_supply : texts.pipe_return} ${table.id[row]}`,
      rows: [
        [texts[mode], Number.isFinite(value) ? `${kit.formatNumber(value, shown.cardDecimals)} ${shown.unit}` : "--",
          Number.isFinite(value) ? `${texts.simulated} · ${age}` : texts.no_answer],
        [texts.diameter, `${kit.formatNumber(table.diameter_m[row] * 1000, 0)} mm`],
        [texts.length, `${kit.formatNumber(table.length_m[row], 0)} m`],
        [texts.laid, String(table.year[row])],
      ],
    };
  };

  kit.describeBuilding = function (row, table, stations, texts, shades, addresses) {
    const use = table.use[row];
    const rows = [
      ...(addresses && addresses[row] ? [[texts.address, addresses[row]]] : []),
      [texts.use, texts[`use.${use}`] || use],
      [texts.area, `${kit.formatNumber(table.area_m2[row], 0)} m²`],
      [texts.floors, String(table.floors[row])],
      [texts.year, String(table.year[row])],
    ];
    if (table.homes[row]) rows.push([texts.homes, String(table.homes[row])]);
    if (table.heated[row]) {
      const station = stations[table.station[row]];
      if (station) rows.push([texts.station, station.label]);
      const room = shades && shades.rooms ? shades.rooms[row] : NaN;
      if (Number.isFinite(room)) rows.push([texts.room, `${kit.formatNumber(room, 1)} °C`, shades.measured[row] ? texts.measured : texts.estimated]);
      if (table.heat_index[row]) rows.push([texts.heat_index, `${kit.formatNumber(table.heat_index[row], 1)} W/m²`]);
    } else {
      rows.push([texts.unheated, ""]);
    }
    return { title: table.name[row] || table.id[row], rows };
  };
})();
