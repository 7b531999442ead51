"""Forecast: the weather's outlook from its own habit or from a weather service, and the heat it will ask
for."""

from twin.forecast.load import LeadError, LoadForecast, LoadPast, forecast_load
from twin.forecast.weather import WeatherPast, expect_weather, join_service

__all__ = [
    "LeadError",
    "LoadForecast",
    "LoadPast",
    "WeatherPast",
    "expect_weather",
    "forecast_load",
    "join_service",
]
