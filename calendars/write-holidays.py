"""Writes holidays.json: the public holidays of the countries of AWS regions and of the largest economies.

Names are English. Days on which a holiday is observed instead, or that are estimated from the moon, bear the holiday's own name.
A holiday that falls on the same day in every year is written as MMDD, any other as its days, YYYYMMDD.

    pip install --require-hashes -r calendars/requirements.txt
    python calendars/write-holidays.py
"""

import argparse
import importlib.metadata
import json
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

import holidays

FIRST_YEAR = 2015
LAST_YEAR = 2040
COUNTRIES = (
    "AE AR AT AU BE BH BR CA CH CL CN CO CZ DE DK EG ES FI FR GB GR HK HU ID IE IL IN IT JP KE KR MX MY NG NL NO NZ PE PH PL PT"
    " RO RU SA SE SG TH TR TW UA US VN ZA"
).split()
QUALIFIER = re.compile(r"\s*\((?:observed|estimated|in lieu|substituted? .*?|.*, estimated|observed, .*?)\)")


def names_of(label: str) -> list[str]:
    """The holidays of a day: the library joins several with a semicolon."""
    return [QUALIFIER.sub("", name).strip() for name in label.split(";")]


def days_by_name(country: str) -> dict[str, list[date]]:
    """Days of each holiday, ascending."""
    english = [name for name in holidays.country_holidays(country).supported_languages if name.startswith("en")]
    language = "en_US" if "en_US" in english else (english or [None])[0]
    calendar = holidays.country_holidays(country, years=range(FIRST_YEAR, LAST_YEAR + 1), language=language)
    found: dict[str, set[date]] = defaultdict(set)
    for day, label in calendar.items():
        for name in names_of(label):
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                found[name].add(day)
    return {name: sorted(days) for name, days in sorted(found.items())}


def compact(days: list[date]) -> str:
    """One month and day, where a holiday falls on it in every year and on no other."""
    places = {day.strftime("%m%d") for day in days}
    if len(places) == 1 and len(days) == LAST_YEAR - FIRST_YEAR + 1:
        return places.pop()
    return " ".join(day.strftime("%Y%m%d") for day in days)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("holidays.json"))
    out: Path = parser.parse_args().out
    table = {
        "source": f"PyPI holidays {importlib.metadata.version('holidays')} (MIT)",
        "firstYear": FIRST_YEAR,
        "lastYear": LAST_YEAR,
        "countries": {
            country: {name: compact(days) for name, days in days_by_name(country).items()} for country in COUNTRIES
        },
    }
    out.write_text(json.dumps(table, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
