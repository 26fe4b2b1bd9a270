import { describe, expect, it } from '@jest/globals';
import { giveBackMove, giveMove, moveStatus, takeBackMove, takeMove } from '../../../core/lending/moves.ts';
import { BORROWER, groupOf, LENDER, loanOf, NOW, poolOf } from '../../support/fixtures.ts';

const loan = loanOf({ units: 3 });
const borrower = poolOf(BORROWER, { borrowedUnits: 3 });
const lender = poolOf(LENDER, { lentUnits: 3 });

describe('moves', () => {
  it('lower the ceiling of the lender alone, and raise ceiling and desired capacity of the borrower', () => {
    expect(takeMove(groupOf({ desiredCapacity: 4 }), 3)).toMatchObject({ toMaxSize: 7, toDesiredCapacity: 4 });
    expect(giveMove(groupOf({ desiredCapacity: 10 }), 3)).toMatchObject({ toMaxSize: 13, toDesiredCapacity: 13 });
  });

  it.each([
    [10, 'pending'],
    [7, 'done'],
    [9, 'foreign'],
  ])('a move from 10 to 7 is, at %i, %s', (maxSize, status) => {
    expect(moveStatus(takeMove(groupOf(), 3), groupOf({ maxSize }))).toBe(status);
  });
});

describe('taking back', () => {
  it.each([
    ['as lent', 13, 10],
    ['never given', 10, 10],
    ['raised by its owner by 2 during the loan', 15, 12],
    ['reset by a deployment', 10, 10],
    ['lowered by its owner below its own', 6, 6],
  ])('a ceiling %s: %i to %i', (_how, maxSize, toMaxSize) => {
    expect(takeBackMove(borrower, groupOf({ maxSize, desiredCapacity: 5 }), loan)).toMatchObject({
      toMaxSize,
      toDesiredCapacity: 5,
    });
  });

  it('stops what runs above the ceiling, and lowers a floor that stands in the way', () => {
    const move = takeBackMove(borrower, groupOf({ minSize: 12, maxSize: 13, desiredCapacity: 13 }), loan);
    expect(move).toMatchObject({ toMaxSize: 10, toDesiredCapacity: 10, toMinSize: 10 });
  });

  it('undoes the rise of desired capacity when the loan was never active and nobody changed it since', () => {
    const give = giveMove(groupOf({ desiredCapacity: 8 }), 3);
    const given = { ...loan, moves: { give } };
    const undo = (desiredCapacity: number) =>
      takeBackMove(borrower, groupOf({ maxSize: 13, desiredCapacity }), given).toDesiredCapacity;
    expect(undo(11)).toBe(8);
    expect(undo(9)).toBe(9);
    const wasActive = { ...given, activeAt: NOW };
    expect(takeBackMove(borrower, groupOf({ maxSize: 13, desiredCapacity: 11 }), wasActive).toDesiredCapacity).toBe(10);
  });
});

describe('giving back', () => {
  it.each([
    ['as taken', 7, 10],
    ['never taken', 10, 10],
    ['restored by its owner', 10, 10],
    ['raised by its owner by 5', 12, 12],
    ['lowered by its owner by 2', 5, 8],
    ['partly restored', 8, 10],
  ])('a ceiling %s: %i to %i', (_how, maxSize, toMaxSize) => {
    expect(giveBackMove(lender, groupOf({ maxSize, desiredCapacity: 4 }), loan)).toMatchObject({
      toMaxSize,
      toDesiredCapacity: 4,
    });
  });
});
